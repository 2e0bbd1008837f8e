"""Experiment `apl_depth` (A6, A7): do APL units beat ReLU, does the gap grow with depth, and what do they learn?

pytest bench -k "apl_depth"
pytest bench -k "apl_depth and apl_cnn3" --scale small --data-dir DIR
"""

from dataclasses import replace

from bench.cases import Case, Experiment, Recipe, RunCase


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `paper`, a tenth of the images at `small`, thin networks on digits at `tiny`.

    The source: 3, 5 and 7 convolutions, CIFAR-10, 10 epochs, APL with 5 hinges, leaky ReLU and ReLU; it draws
    training and test curves, and what APL has learned in each layer after each epoch, which the record keeps. It
    leaves out the same as in `apl_hinges`, and the choices are those made there. A validation part takes the place
    of the test curves, so that the test part is looked at once.

    `small` trains a quarter of the channels on 5,000 images, two (ReLU, 3 convolutions) to four minutes (APL, 7) a run
    on one core. `tiny` has a sixteenth of the channels and nine epochs of digits; the three depths stay.
    """
    if scale == "tiny":
        return Recipe(
            version=1,
            epochs=9,
            batch_size=32,
            learning_rate=1e-3,
            initialisation="kaiming",
            train_size=1200,
            validation_size=237,
            model_arguments={"width": 1 / 16, "dropout": 0.0},
            keep_functions=case.activation == "apl",
            threads=1,
            seeds=3,
            recorded_seeds=10,
        )
    paper = Recipe(
        version=1,
        epochs=10,
        batch_size=64,
        learning_rate=1e-3,
        initialisation="kaiming",
        validation_size=5000,
        model_arguments={"dropout": 0.0},
        keep_functions=case.activation == "apl",
        seeds=3,
        recorded_seeds=3,
    )
    if scale == "paper":
        return paper
    return replace(
        paper, version=2, train_size=5000, validation_size=1000, model_arguments={"width": 0.25, "dropout": 0.0}
    )


EXPERIMENT = Experiment(
    name="apl_depth",
    question="Do APL units beat ReLU and leaky ReLU, and does the gap grow with depth?",
    source="A6, A7: slides on activation functions (000_a4fc070b01c658f7)",
    models=("apl_cnn3", "apl_cnn5", "apl_cnn7"),
    datasets=("digits", "cifar10"),
    optimizers=("adam",),
    activations=("apl", "relu", "leaky_relu"),
    recipe=recipe,
    runs_at=lambda case, scale: case.dataset == ("digits" if scale == "tiny" else "cifar10"),
    views=("curves", "functions", "literature"),
)


def test_apl_depth(case: Case, run_case: RunCase) -> None:
    run_case(case)
