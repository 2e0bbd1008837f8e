"""Experiment `apl_hinges` (A5): is the accuracy of APL units linear in their number of hinges?

pytest bench -k "apl_hinges"
pytest bench -k "apl_hinges and hinges5" --scale small --data-dir DIR
"""

from bench.cases import Case, Experiment, Recipe, RunCase


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `paper`, a tenth of the images at `small`, a thin network on digits at `tiny`.

    The source: three 5x5 convolutions of 96, 128 and 256 channels, CIFAR-10, 10 epochs, one run for each number of
    hinges. It leaves out the optimizer, rate, batch size, the rest of the network and the initialisation. Here: Adam
    at 1e-3 and batch 64, with which the same authors' CNN (A1) comes out as they report, Kaiming's initialisation,
    and no dropout, since the source's training losses fall far below its test losses. Three runs give an
    interval. Nothing is chosen, so no validation part is taken off.

    `small` trains half of the channels on 5,000 images, 3 (1 hinge) to 13 minutes (10) a run on 2 cores. `tiny` has a
    sixteenth of the channels and six epochs of digits; the number of hinges stays what differs.
    """
    hinges = {"hinges": int(case.settings["hinges"])} if case.activation == "apl" else {}
    if scale == "tiny":
        return Recipe(
            version=1,
            epochs=6,
            batch_size=32,
            learning_rate=1e-3,
            initialisation="kaiming",
            train_size=1437,
            model_arguments={"width": 1 / 16, "dropout": 0.0},
            activation_arguments=hinges,
            threads=1,
            seeds=3,
            recorded_seeds=10,
        )
    return Recipe(
        version=1,
        epochs=10,
        batch_size=64,
        learning_rate=1e-3,
        initialisation="kaiming",
        train_size=5000 if scale == "small" else None,
        model_arguments={"width": 0.5 if scale == "small" else 1.0, "dropout": 0.0},
        activation_arguments=hinges,
        seeds=3,
        recorded_seeds=3,
    )


def runs_at(case: Case, scale: str) -> bool:
    """Digits at `tiny`, CIFAR-10 beyond; only APL units have hinges to count."""
    return case.activation == "apl" and case.dataset == ("digits" if scale == "tiny" else "cifar10")


EXPERIMENT = Experiment(
    name="apl_hinges",
    question="Is the accuracy of APL units linear in their number of hinges?",
    source="A5: slides on activation functions (000_a4fc070b01c658f7)",
    models=("apl_cnn3",),
    datasets=("digits", "cifar10"),
    optimizers=("adam",),
    activations=("apl",),
    variants=("hinges1", "hinges2", "hinges3", "hinges4", "hinges5", "hinges10"),
    recipe=recipe,
    runs_at=runs_at,
    views=("hinges", "literature"),
)


def test_apl_hinges(case: Case, run_case: RunCase) -> None:
    run_case(case)
