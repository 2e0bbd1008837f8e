"""Does every experiment notice a broken activation? Its recorded baseline must tell it from relu.

    pytest bench/checks/test_sensitivity.py --data-dir DIR
    pytest bench -k "sensitivity and dead and complex"

For each experiment one recorded case is really trained with a broken activation in the place of its own, and judged
as that case: `constant` puts out the same number everywhere, `dead` is relu without a gradient. The verdict must be
one that fails.
"""

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


@dataclass(frozen=True)
class Planted:
    """A broken activation in one case of an experiment."""

    experiment: str
    broken: str
    case: Case

    @property
    def id(self) -> str:
        return f"sensitivity-{self.broken}-{self.experiment}"


EXPERIMENTS = {experiment.name: experiment for name in experiments.names() if (experiment := experiments.find(name))}


def _reference(experiment: Experiment) -> Case:
    """relu on digits where the experiment has them, which is the fastest."""
    return min(experiment.cases("tiny"), key=lambda case: (case.activation != "relu", case.dataset != "digits"))


PLANTED = [
    Planted(name, broken, _reference(one)) for name, one in EXPERIMENTS.items() for broken in ("constant", "dead")
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.id)
def test_sensitivity(planted: Planted, runner: Runner) -> None:
    entry = activations.load(f"{__file__}:{planted.broken}")
    activations.register(entry)
    trained = replace(planted.case, activation=entry.name)
    judgement = runner.judge_as(planted.case, trained, EXPERIMENTS[planted.experiment], SEEDS)
    if judgement.verdict == "NEW" and not runner.settings.require:
        pytest.skip(f"{planted.case.id}: {judgement.reason}")
    assert fails(judgement.verdict), f"{planted.case.id} with {planted.broken}: {judgement.verdict}, {judgement.reason}"
