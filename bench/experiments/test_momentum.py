"""Experiment `momentum` (B11): does GELU want an optimizer with momentum?

pytest bench -k "momentum"
pytest bench -k "momentum and gelu" --scale small --data-dir DIR
"""

from dataclasses import replace

from bench.cases import Case, Experiment, Recipe, RunCase
from bench.experiments.test_mlp import recipe as mlp_recipe

# Of SGD, in the long run of a constant gradient: rate / (1 - momentum).
STEP_LENGTH = 5e-2


def recipe(case: Case, scale: str) -> Recipe:
    """That of `mlp` (B1) but for SGD's momentum and rate, and at `small` 20 of its 50 epochs.

    The source gives the advice to use an optimizer with momentum, and no experiment. Here SGD has momentum 0 or 0.9
    at rates that make steps of the same length, 5e-2 and 5e-3, so that momentum is what differs and not the pace;
    5e-3 with 0.9 is what `mlp` found to be stable. Adam, whose momentum is its first moment, stands beside at 1e-3.
    """
    recipe = mlp_recipe(case, scale)
    if scale == "small":
        recipe = replace(recipe, version=3, epochs=20)
    if case.optimizer == "adam":
        return recipe
    momentum = case.settings["momentum"]
    return replace(recipe, learning_rate=STEP_LENGTH * (1 - momentum), momentum=momentum)


EXPERIMENT = Experiment(
    name="momentum",
    question="Does GELU gain more from momentum than ReLU and ELU do?",
    source="B11: slides on GELU (001_72408baea112c7d3), tip 1",
    models=("mlp",),
    datasets=("mnist",),
    optimizers=("sgd", "adam"),
    activations=("gelu", "relu", "elu"),
    variants=("", "momentum0", "momentum0.9"),
    recipe=recipe,
    runs_at=lambda case, scale: bool(case.variant) == (case.optimizer == "sgd"),
    views=("curves",),
)


def test_momentum(case: Case, run_case: RunCase) -> None:
    run_case(case)
