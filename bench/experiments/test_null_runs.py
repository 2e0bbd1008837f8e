"""Experiment `null_runs` (D6): how often does each activation's training blow up and stay at chance?

pytest bench -k "null_runs and digits"
pytest bench -k "null_runs and psi8_fixed" --scale small --data-dir DIR
"""

from dataclasses import replace

from bench.cases import Case, Experiment, Recipe, RunCase
from bench.experiments.test_corruption import PSI
from bench.experiments.test_corruption import recipe as corruption_recipe

TOO_HIGH = "psi8_fixed_lr1"


def recipe(case: Case, scale: str) -> Recipe:
    """That of ResNet-18 in `corruption`, ten runs each.

    The source: ten runs with both courses of the rate at each psi; a null run is one whose error jumps at some point
    and whose accuracy is 0.1 from then on. It suspects some activations to be more prone to them, and leaves the
    counts to later. Each run had another rate (see `schedules`): of its hundred logs on psi8 one is at chance, Mish's
    with the highest rate of all, 3.3.

    At the rate of `schedules`, 1e-3, the network of `tiny` has no null runs. So one variant of ours, `lr1`, has the
    rate 1, at which runs collapse and activations differ: of the 10 recorded 2 with Mish, 4 with SiLU, 7 with TAct and
    all with mTAct. There `tiny` leaves relu out, whose baseline must be clear of chance: in a trial all 10 collapsed.
    `small` has psi 8 with a fixed rate alone, at both of these rates.
    """
    return replace(
        corruption_recipe(case, scale),
        learning_rate=case.settings.get("lr", 1e-3),
        seeds=10,
        recorded_seeds=10,
    )


def _runs_at(case: Case, scale: str) -> bool:
    if scale == "paper":
        return case.dataset == "cifar10"
    if case.dataset != ("cifar10" if scale == "small" else "digits") or case.variant not in ("psi8_fixed", TOO_HIGH):
        return False
    return scale == "small" or (case.activation, case.variant) != ("relu", TOO_HIGH)


EXPERIMENT = Experiment(
    name="null_runs",
    question="Do the runs of some activations collapse more often than those of others?",
    source="D6: Puniani 2020, MATH 198 (003_f59602624db1a428), section 2.4; shot noise is our reading of psi",
    models=("resnet18",),
    datasets=("cifar10", "digits"),
    optimizers=("adamw",),
    activations=("relu", "silu", "mish", "tact", "mtact"),
    variants=(*(f"psi{psi}_{schedule}" for schedule in ("fixed", "triangular") for psi in PSI), TOO_HIGH),
    recipe=recipe,
    runs_at=_runs_at,
    views=("null_runs",),
)


def test_null_runs(case: Case, run_case: RunCase) -> None:
    run_case(case)
