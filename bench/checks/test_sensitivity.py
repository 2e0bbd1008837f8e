"""Does every experiment notice what is broken? Its recorded probe must, and its recorded runs where that is shown too.

    pytest bench/checks/test_sensitivity.py -k first_steps --scale paper
    pytest bench/checks/test_sensitivity.py --data-dir DIR
    pytest bench -k "sensitivity and dead and complex"

The first steps of one recorded case of each experiment are taken with something broken: an activation that puts out the
same number everywhere (`constant`), has no gradient (`dead`) or a slope that is off by a hundredth (`steep`), half the
learning rate, or no momentum. They must be CHANGED. At `tiny` a few experiments are also really trained with the first
two, and the verdict on the runs alone must be one that fails.
"""

import functools
from dataclasses import dataclass, replace
from typing import Any

import pytest

import activations
from bench import experiments
from bench.cases.case import Case, Experiment
from bench.records.verdict import fails
from bench.session.runner import Runner

# Four collapsed runs beside ten recorded ones that trained are the fewest that an exact test at 1 % for five tests
# tells apart: 1 / C(14, 4) = 0.001.
SEEDS = 4


def constant(x: Any) -> Any:
    return 0 * x + 1


def dead(x: Any) -> Any:
    return x.clamp(min=0).detach()


def steep(x: Any) -> Any:
    return 1.01 * x.clamp(min=0)


@dataclass(frozen=True)
class Planted:
    """Something broken in one case of an experiment; no case itself, so that `--experiment` does not select it."""

    subject: str
    broken: str
    case: Case

    @property
    def id(self) -> str:
        return f"sensitivity-{self.broken}-{self.subject}"


EXPERIMENTS = {experiment.name: experiment for name in experiments.names() if (experiment := experiments.find(name))}


@functools.cache  # asked for each thing that is broken, at import
def _reference(experiment: Experiment, scale: str = "tiny", *, with_momentum: bool = False) -> Case | None:
    """relu on digits where the experiment has them, which is the fastest; None without a case with momentum."""
    cases = [case for case in experiment.cases(scale) if not with_momentum or experiment.recipe(case, scale).momentum]
    return min(cases, key=lambda case: (case.activation != "relu", case.dataset != "digits"), default=None)


ACTIVATIONS = ("constant", "dead", "steep")
TRAINED = ("mlp", "cnn", "complex", "bert", "timit")
PLANTED = [
    Planted(name, broken, case)
    for name in TRAINED
    for broken in ("constant", "dead")
    if (case := _reference(EXPERIMENTS[name]))
]
FIRST_STEPS = [
    Planted(name, broken, case)
    for name, one in EXPERIMENTS.items()
    for broken in (*ACTIVATIONS, "half_rate", "no_momentum")
    if (case := _reference(one, with_momentum=broken == "no_momentum"))
]


@pytest.mark.parametrize("planted", FIRST_STEPS, ids=lambda planted: planted.id)
def test_first_steps(planted: Planted, runner: Runner) -> None:
    experiment, scale = EXPERIMENTS[planted.subject], runner.settings.scale
    case = _reference(experiment, scale, with_momentum=planted.broken == "no_momentum")
    if case is None:
        pytest.skip(f"no case of {planted.subject} at {scale} has momentum")
    recipe, trained = experiment.recipe(case, scale), case
    if planted.broken in ACTIVATIONS:  # what one activation alone takes is not for another
        recipe, trained = (
            replace(recipe, activation_arguments={}),
            replace(case, activation=_registered(planted.broken)),
        )
    elif planted.broken == "half_rate":
        recipe = replace(recipe, learning_rate=recipe.learning_rate / 2)
    else:
        recipe, trained = replace(recipe, momentum=0.0), replace(case, optimizer="sgd")
    verdict, reason = runner.probed_as(case, trained, recipe)
    if verdict == "NEW" and not runner.settings.require:
        pytest.skip(f"{case.id}: {reason}")
    assert verdict == "CHANGED", f"{case.id} with {planted.broken}: {verdict}, {reason}"


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.id)
def test_sensitivity(planted: Planted, runner: Runner) -> None:
    if runner.settings.scale != "tiny":
        pytest.skip("trained at tiny alone, which the case is of; the first steps are compared at every scale")
    trained = replace(planted.case, activation=_registered(planted.broken))
    judgement = runner.judge_as(planted.case, trained, EXPERIMENTS[planted.subject], SEEDS)
    if judgement.verdict == "NEW" and not runner.settings.require:
        pytest.skip(f"{planted.case.id}: {judgement.reason}")
    assert fails(judgement.verdict), f"{planted.case.id} with {planted.broken}: {judgement.verdict}, {judgement.reason}"


def _registered(broken: str) -> str:
    entry = activations.load(f"{__file__}:{broken}")
    activations.register(entry)
    return entry.name
