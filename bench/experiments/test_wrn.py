"""Experiment `wrn` (B7): does GELU beat ReLU and ELU in a wide residual network with 100 classes?

pytest bench -k "wrn"
pytest bench -k "wrn and cifar100" --scale paper
"""

from bench.cases import Case, Experiment, Recipe, RunCase


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `paper`, ten epochs of it at `small`, a thin network on digits at `tiny`.

    The source (arXiv 1606.08415, section 3.5): 40 layers, 4 times as wide, dropout that keeps 0.7, Nesterov's
    momentum, 50 epochs at a rate that begins at 0.1, with the schedule of Loshchilov and Hutter 2016 and T0 = 50:
    half a cosine. All three activations get blocks that end with a batch norm, without which ELU explodes. Median of 3
    runs. The document also speaks of a search over {1e-3, 1e-4, 1e-5}, which does not go with a rate of 0.1: 0.1 is
    taken, and nothing is left to choose, so all training images are trained on. Momentum 0.9, batch 128, crops and
    flips are those of the wide ResNet paper (arXiv 1605.07146) and of the authors' SGDR_WRNs_gelu.py; that script holds
    each image twice, mirrored, so 50 of its epochs may be 100 of ours. Its penalty is 5e-4 times the sum of the squares
    of all weights, but not of biases, whose gradient is that of a weight decay of 1e-3. It subtracts the mean of each
    pixel, where ours are standardised; Kaiming's weights are the paper's of wide ResNets. It leaves the precision open:
    bfloat16 on a card at `paper`.

    `small` is made for a GPU. `tiny` has one block a stage of an eighth of the channels, and digits for CIFAR-100, of
    whose 8 pixels a crop may move 4 out of the picture, so that nothing is augmented; Nesterov's momentum, the high
    rate with its schedule, dropout and the blocks stay.
    """
    if scale == "tiny":
        return Recipe(
            version=3,
            epochs=5,
            batch_size=32,
            learning_rate=0.1,
            schedule="cosine",
            momentum=0.9,
            weight_decay=1e-3,
            decay_biases=False,
            initialisation="kaiming",
            train_size=1437,
            preprocessing="standard",
            model_arguments={"width": 0.125, "depth": 0.1, "dropout": 0.3},
            threads=1,
            seeds=3,
            recorded_seeds=10,
        )
    paper = scale == "paper"
    return Recipe(
        version=4 if paper else 3,
        epochs=50 if paper else 10,
        batch_size=128,
        learning_rate=0.1,
        schedule="cosine",
        momentum=0.9,
        weight_decay=1e-3,
        decay_biases=False,
        initialisation="kaiming",
        preprocessing="standard",
        augmentation="crop_flip",
        model_arguments={"dropout": 0.3},
        precision="bfloat16" if paper else "float32",
        memory_format="channels_last" if paper else "contiguous",
        seeds=3,
        recorded_seeds=3,
        aggregate="median",
    )


EXPERIMENT = Experiment(
    name="wrn",
    question="Does GELU beat ReLU and ELU in a wide residual network?",
    source="B7: Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.5",
    models=("wrn_40_4",),
    datasets=("digits", "cifar100"),
    optimizers=("nesterov",),
    activations=("gelu", "relu", "elu"),
    recipe=recipe,
    runs_at=lambda case, scale: case.dataset == ("digits" if scale == "tiny" else "cifar100"),
    views=("curves", "literature"),
)


def test_wrn(case: Case, run_case: RunCase) -> None:
    run_case(case)
