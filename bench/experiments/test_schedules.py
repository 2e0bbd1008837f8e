"""Experiment `schedules` (D4): are TAct and mTAct the best on a simple ResNet-18, whatever the learning rate's course?

pytest bench -k "schedules and digits"
pytest bench -k "schedules and triangular" --scale small --data-dir DIR -n 2
"""

from dataclasses import replace

from bench.cases import Case, Experiment, Recipe, RunCase
from bench.cases.recipe import Schedule


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `paper`, a quarter of the width and a tenth of the images at `small`, digits at `tiny`.

    The source: 30 epochs of a triangular or of a fixed rate, mean of 3 runs. Its repository
    (github.com/GSPuniani/MBG-Activation-Functions, folder Simple Model) adds torchvision's ResNet-18 with the stem
    for ImageNet, batch 128, standardised images without augmentation, and fastai 1's optimizer: Adam with a
    decoupled weight decay of 0.01 (beta2 is 0.99 there, torch's 0.999 here). Weights are drawn as torchvision does. A
    range test before every run sets its rate: its hundred logs on psi8 say 6.3e-7 to 3.3, and the accuracies follow
    the rate, whatever the activation. So that nothing but the activation differs, ours all have 1e-3.
    Its triangle is fastai's one-cycle policy with cosines; ours is that of Smith 2017, which the document describes.
    Its curves are of the test part, ours of 5000 training images kept for validation.

    `small` has 15 epochs and takes about a minute a run on one core. `tiny` trains an eighth of the width, one block a
    stage and the stem for small images on 1200 digits, three epochs in batches of 32.
    """
    schedule: Schedule = "triangular" if "triangular" in case.settings else "constant"
    if scale == "tiny":
        return Recipe(
            version=2,
            epochs=3,
            batch_size=32,
            learning_rate=1e-3,
            schedule=schedule,
            initialisation="torchvision_resnet",
            weight_decay=0.01,
            train_size=1200,
            validation_size=237,
            preprocessing="standard",
            model_arguments={"width": 0.125, "depth": 0.5, "stem": "cifar"},
            threads=1,
            seeds=3,
            recorded_seeds=10,
        )
    paper = Recipe(
        version=2,
        epochs=30,
        batch_size=128,
        learning_rate=1e-3,
        schedule=schedule,
        initialisation="torchvision_resnet",
        weight_decay=0.01,
        validation_size=5000,
        preprocessing="standard",
        model_arguments={"stem": "imagenet"},
        seeds=3,
        recorded_seeds=3,
    )
    if scale == "paper":
        return paper
    thin = {"width": 0.25, "stem": "imagenet"}
    return replace(paper, version=3, epochs=15, train_size=5000, validation_size=1000, model_arguments=thin)


EXPERIMENT = Experiment(
    name="schedules",
    question="Are TAct and mTAct the best on a simple ResNet-18, with a triangular and with a fixed rate?",
    source="D4: Puniani 2020, MATH 198 (003_f59602624db1a428), section 2.3",
    models=("resnet18",),
    datasets=("cifar10", "digits"),
    optimizers=("adamw",),
    activations=("relu", "silu", "mish", "tact", "mtact"),
    variants=("fixed", "triangular"),
    recipe=recipe,
    runs_at=lambda case, scale: (case.dataset == "digits") == (scale == "tiny"),
    views=("curves",),
)


def test_schedules(case: Case, run_case: RunCase) -> None:
    run_case(case)
