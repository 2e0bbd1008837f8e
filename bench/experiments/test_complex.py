"""Experiment `complex` (D2): does one activation dominate DenseNet-121, SE-Net 18 and MobileNet v2?

pytest bench -k "complex and digits"
pytest bench -k "complex and senet18 and (relu or mish)" --scale small --data-dir DIR -n 2
"""

from dataclasses import replace

from bench.cases import Case, Experiment, Recipe, RunCase

# Cut to about 120 steps in three seconds: one block in nearly every stage.
THIN = {
    "densenet121": {"width": 0.25, "depth": 0.1},
    "senet18": {"width": 0.125, "depth": 0.5},
    "mobilenet_v2": {"width": 0.25, "depth": 0.25, "dropout": 0.0},
}
WHOLE = {"mobilenet_v2": {"dropout": 0.0}}
# Of the training part, by scale, where something is chosen or followed.
VALIDATION_SIZE = {"tiny": 237, "small": 1000, "paper": 5000}


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `paper`, thin networks on a tenth of the images at `small`, on digits at `tiny`.

    The source: rate 0.001, mean of 3 runs. Its repository (github.com/GSPuniani/MBG-Activation-Functions, folder
    cifar-10) adds Adam, batch 128, 100 epochs, images in [-1, 1], flipped with probability 0.4 and turned by up to
    30 degrees, torch's own initialisation and the network of the last epoch. It has the networks of
    github.com/weiaicunzai/pytorch-cifar100, and one TAct for all places of a block where ours has one a place. Its
    DenseNet exchanges only the first of a layer's two activations, keeps ReLU in the second, and has none in the stem
    and between its stages; ours, torchvision's, exchanges all, so that differences between activations may be larger
    than reported. Its MobileNet has no dropout before the last layer, keeps a little more resolution than ours with
    `stem="cifar"`, and its relu is ReLU6. The precision is left open: bfloat16 on a card at `paper`.

    `small` trains networks cut in width and depth on 5,000 images for ten epochs, one to three minutes a run on a core.
    `tiny` trains them on 1200 digits for three epochs in batches of 32, not flipped or turned, which would make other
    digits of them. What they keep is each network's kind of block, and the question.
    """
    version = 2 if case.model == "mobilenet_v2" else 1
    if scale == "tiny":
        return Recipe(
            version=version,
            epochs=3,
            batch_size=32,
            learning_rate=1e-3,
            initialisation="torch",
            train_size=1200,
            validation_size=237,
            model_arguments=THIN[case.model],
            threads=1,
            seeds=3,
            recorded_seeds=10,
        )
    paper = Recipe(
        version=version,
        epochs=100,
        batch_size=128,
        learning_rate=1e-3,
        initialisation="torch",
        augmentation="flip_rotate",
        model_arguments=WHOLE.get(case.model, {}),
        seeds=3,
        recorded_seeds=3,
    )
    if scale == "paper":
        return replace(paper, version=version + 1, precision="bfloat16", memory_format="channels_last")
    return replace(paper, version=3, epochs=10, train_size=5000, model_arguments=THIN[case.model])


EXPERIMENT = Experiment(
    name="complex",
    question="Does one of five activations dominate three large networks?",
    source="D2: Puniani 2020, MATH 198 (003_f59602624db1a428), section 2.2",
    models=("densenet121", "senet18", "mobilenet_v2"),
    datasets=("cifar10", "digits"),
    optimizers=("adam",),
    activations=("relu", "silu", "mish", "tact", "mtact"),
    recipe=recipe,
    runs_at=lambda case, scale: (case.dataset == "digits") == (scale == "tiny"),
    views=("literature",),
)


def test_complex(case: Case, run_case: RunCase) -> None:
    run_case(case)
