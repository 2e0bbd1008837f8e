"""Experiment `xresnet` (D1): which of fastai's baseline networks is best, and how long must it train?

pytest bench -k "xresnet and digits"
pytest bench -k "xresnet and wrn_22" --scale small --data-dir DIR
"""

from dataclasses import replace

from bench.cases import Case, Experiment, Recipe, RunCase

# Cut to about 150 steps in two seconds: one block in nearly every stage.
TINY = {
    "xresnet18": {"width": 0.125, "depth": 0.5},
    "xresnet34": {"width": 0.125, "depth": 0.34},
    "xresnet50": {"width": 0.125, "depth": 0.34},
    "wrn_22": {"width": 0.125, "depth": 0.34},
}


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `paper`, thin networks at `small`, digits at `tiny`; a variant says how many epochs.

    The source: 25, 50 and 100 epochs, mean of 5 runs, the standard deviation as a band. Its repository
    (github.com/GSPuniani/MBG-Activation-Functions, folder baseline_results) adds fastai 1's fit_one_cycle, batch 128,
    standardised images, padded by 4 in mirror image, cropped and flipped, and the rates of three
    range tests: 3.0e-3 for xresnet18, 2.5e-3 for wrn_22, 8.3e-4 for xresnet50; ours is their geometric mean, rounded.
    The rest is fastai's default: Adam with a decoupled weight decay of 0.01 and weights by Kaiming; its beta2 of 0.99
    and its cycle of the momentum are left out. The source calls the networks pre-trained, but its logs start at 50 %:
    they were not. Its curves are of the test part, ours of 5000 training images kept for validation. It leaves the
    precision open: bfloat16 on a card at `paper`.

    `small` trains a quarter of the width, of wrn_22 an eighth, on 5,000 images for 25 epochs, one to six minutes a run
    on one core. `tiny` trains an eighth of the width and a half or a third of the depth on 1200 digits in batches of
    32, for the four epochs that its variant names.
    """
    epochs = int(case.settings["epochs"])
    if scale == "tiny":
        return Recipe(
            version=1,
            epochs=epochs,
            batch_size=32,
            learning_rate=2e-3,
            schedule="one_cycle",
            initialisation="kaiming",
            weight_decay=0.01,
            train_size=1200,
            validation_size=237,
            preprocessing="standard",
            model_arguments=TINY[case.model],
            threads=1,
            seeds=3,
            recorded_seeds=10,
        )
    paper = Recipe(
        version=2,
        epochs=epochs,
        batch_size=128,
        learning_rate=2e-3,
        schedule="one_cycle",
        initialisation="kaiming",
        weight_decay=0.01,
        validation_size=5000,
        preprocessing="standard",
        augmentation="reflect_crop_flip",
        model_arguments={} if case.model == "wrn_22" else {"stem": "imagenet"},
        seeds=5,
        recorded_seeds=5,
    )
    if scale == "paper":
        return replace(paper, version=3, precision="bfloat16", memory_format="channels_last")
    return replace(
        paper,
        version=3,
        train_size=5000,
        validation_size=1000,
        model_arguments={**paper.model_arguments, "width": 0.125 if case.model == "wrn_22" else 0.25},
        seeds=3,
        recorded_seeds=3,
    )


VARIANTS = {"tiny": ("epochs4",), "small": ("epochs25",), "paper": ("epochs25", "epochs50", "epochs100")}

EXPERIMENT = Experiment(
    name="xresnet",
    question="Which of fastai's baseline networks is best after 25, 50 and 100 epochs?",
    source="D1: Puniani 2020, MATH 198 (003_f59602624db1a428), section 2.1",
    models=("xresnet18", "xresnet34", "xresnet50", "wrn_22"),
    datasets=("cifar10", "digits"),
    optimizers=("adamw",),
    activations=("relu",),
    variants=("epochs4", "epochs25", "epochs50", "epochs100"),
    recipe=recipe,
    runs_at=lambda case, scale: case.variant in VARIANTS[scale] and (case.dataset == "digits") == (scale == "tiny"),
    views=("curves",),
)


def test_xresnet(case: Case, run_case: RunCase) -> None:
    run_case(case)
