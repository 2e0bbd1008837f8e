"""Experiment `corruption` (D5): does the ranking of activations follow the noise in the images?

pytest bench -k "corruption and digits"
pytest bench -k "corruption and resnet18 and psi8_fixed" --scale small --data-dir DIR
"""

from dataclasses import replace

from bench.cases import Case, Experiment, Recipe, RunCase
from bench.experiments.test_complex import VALIDATION_SIZE
from bench.experiments.test_complex import recipe as complex_recipe
from bench.experiments.test_schedules import recipe as simple_recipe

PSI = (8, 16, 32, 64)  # 8 is the noisiest


def recipe(case: Case, scale: str) -> Recipe:
    """ResNet-18 as in `schedules`, the others as in `complex`, on images under shot noise of peak count psi.

    The source: mean of 3 runs for ResNet-18 and of 5 for the others, everything else as on clean images. It gives
    no formula for psi: shot noise is our reading (see `bench.data.corruption`), on training, validation and test
    part alike. Its curves are of the test part, ours of 5000 training images kept for validation.

    `small` has ResNet-18 alone, with a fixed rate; `tiny` of that psi 8 and 64, and three of the five activations.
    """
    simple = case.model == "resnet18"
    clean = simple_recipe(case, scale) if simple else complex_recipe(case, scale)
    runs = 10 if scale == "tiny" else 3 if simple else 5
    return replace(
        clean,
        psi=int(case.settings["psi"]),
        validation_size=VALIDATION_SIZE[scale],
        recorded_seeds=runs,
    )


def _runs_at(case: Case, scale: str) -> bool:
    """ResNet-18 has AdamW and both courses of the rate, the others Adam and none."""
    simple = case.model == "resnet18"
    settings = case.settings
    if simple != (case.optimizer == "adamw") or simple == (len(settings) == 1):
        return False
    if scale == "paper":
        return case.dataset == "cifar10"
    if case.dataset != ("cifar10" if scale == "small" else "digits") or "fixed" not in settings:
        return False
    return scale == "small" or (settings["psi"] in (8, 64) and case.activation not in ("silu", "mtact"))


EXPERIMENT = Experiment(
    name="corruption",
    question="Does the ranking of activations depend on the noise in the images?",
    source="D5: Puniani 2020, MATH 198 (003_f59602624db1a428), section 2.4; shot noise is our reading of psi",
    models=("resnet18", "densenet121", "mobilenet_v2", "senet18"),
    datasets=("cifar10", "digits"),
    optimizers=("adam", "adamw"),
    activations=("relu", "silu", "mish", "tact", "mtact"),
    variants=tuple(f"psi{psi}{schedule}" for schedule in ("", "_fixed", "_triangular") for psi in PSI),
    recipe=recipe,
    runs_at=_runs_at,
    views=("curves",),
)


def test_corruption(case: Case, run_case: RunCase) -> None:
    run_case(case)
