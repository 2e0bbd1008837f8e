"""Experiment `rates` (D3): which activation is best at each learning rate, and which rate for each activation?

pytest bench -k "rates and digits"
pytest bench -k "rates and senet18 and lr0.01" --scale small --data-dir DIR
"""

from dataclasses import replace

from bench.cases import Case, Experiment, Recipe, RunCase
from bench.experiments.test_complex import VALIDATION_SIZE
from bench.experiments.test_complex import recipe as complex_recipe


def recipe(case: Case, scale: str) -> Recipe:
    """That of `complex` with the variant's rate, and 5000 training images kept for the choice of a rate.

    The source: rates 0.0001, 0.001, 0.01, 0.1 and 1, mean of 3 runs, and tables of the accuracy on the test part,
    in which it also looks for the best rate. In all eleven of its repository's scripts `*_LR.py` one network is
    trained through the rates from low to high and on into the next run, so that only the first run at 0.0001 is of a
    fresh one; here every run starts anew, and the choice is made on a validation part.

    `small` has senet18 alone, and 1000 images for the choice; `tiny` has it at 0.001 and 0.1, a hundred times as much.
    """
    return replace(
        complex_recipe(case, scale),
        learning_rate=case.settings["lr"],
        validation_size=VALIDATION_SIZE[scale],
    )


def runs_at(case: Case, scale: str) -> bool:
    """Digits and two rates at `tiny`, CIFAR-10 and all beyond; senet18 alone but at `paper`."""
    if scale == "tiny":
        return case.dataset == "digits" and case.model == "senet18" and case.variant in ("lr0.001", "lr0.1")
    return case.dataset == "cifar10" and (scale == "paper" or case.model == "senet18")


EXPERIMENT = Experiment(
    name="rates",
    question="Does the learning rate matter more than the activation?",
    source="D3: Puniani 2020, MATH 198 (003_f59602624db1a428), section 2.2",
    models=("densenet121", "senet18", "mobilenet_v2"),
    datasets=("cifar10", "digits"),
    optimizers=("adam",),
    activations=("relu", "silu", "mish", "tact", "mtact"),
    variants=("lr0.0001", "lr0.001", "lr0.01", "lr0.1", "lr1"),
    recipe=recipe,
    runs_at=runs_at,
    views=("rates", "literature"),
)


def test_rates(case: Case, run_case: RunCase) -> None:
    run_case(case)
