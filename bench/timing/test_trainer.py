"""How fast the suite's training loop is, beside the bare step on resident batches and the loops of others.

    pytest bench/timing/test_trainer.py -n0 --data-dir DIR
    pytest bench/timing/test_trainer.py -n0 -k bert --peers

The tutorial's CNN in batches of 128 images stands beside PyTorch's tutorial loop, a small BERT in batches of 32 made
sentences beside transformers' Trainer (`--peers`); float32, torch's own number of threads. The goals are ratios of
throughputs, measured interleaved. On a card the CNN's loop is also timed with its steps replayed in a CUDA graph.
"""

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.errors import DataError
from bench.timing import interleave
from bench.timing.context import TimingContext
from bench.training.device import clock

if TYPE_CHECKING:
    from bench.data.parts import Parts


@dataclass(frozen=True)
class Race:
    """What is trained, and how many times a rival's throughput the suite's loop must have."""

    case: Case
    recipe: Recipe
    goals: Mapping[str, float]

    @property
    def group(self) -> str:
        return f"trainer: {self.case.model}, {self.case.dataset}, batch {self.recipe.batch_size}"


RACES = {
    "cnn": Race(
        Case("trainer", "cnn", "cifar10", "relu", "sgd"),
        Recipe(
            version=1,
            epochs=1,
            batch_size=128,
            learning_rate=1e-2,
            momentum=0.9,
            initialisation="torch",
            train_size=40 * 128,
            test_size=1000,
        ),
        goals={"limit": 0.95, "dataloader": 2.5},
    ),
    "bert": Race(
        Case("trainer", "bert", "sst2", "gelu", "adamw"),
        Recipe(
            version=1,
            epochs=1,
            batch_size=32,
            learning_rate=5e-4,
            weight_decay=0.01,
            initialisation="own",
            train_size=60 * 32,
            model_arguments={
                "hidden_size": 128,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "intermediate_size": 512,
            },
        ),
        goals={"limit": 0.95, "trainer": 1.0},
    ),
}
# A pair at a time: what an epoch of DataLoader workers leaves of the caches would be charged to whoever comes next.
ROUNDS = {"limit": 15, "dataloader": 5, "trainer": 15}


def made_sentences(rows: int, device: Any) -> "Parts":
    """Random ids, in sentences whose lengths spread as SST-2's phrases do: 3 to 60, half of them below 10."""
    import torch

    from bench.data.parts import Part, Parts

    generator = torch.Generator().manual_seed(0)
    lengths = (3 + torch.empty(rows).exponential_(0.1, generator=generator)).clamp(max=60).long().sort().values
    ids = torch.randint(1, 8000, (rows, int(lengths[-1])), generator=generator)
    ids[torch.arange(ids.shape[1]) >= lengths[:, None]] = 0
    part = Part(ids.to(device), (torch.arange(rows) % 2).to(device), lengths.tolist())
    return Parts(part, None, part, num_classes=2, data_hash="", model_arguments={"vocab_size": 8000})


def calls(race: Race, names: list[str], benchmark: Any, timing: TimingContext) -> dict[str, interleave.Call]:
    """An epoch of each of these loops."""
    if not benchmark.enabled:
        pytest.fail("not timed: pytest-benchmark is off; run without --benchmark-disable", pytrace=False)
    if "trainer" in names and not importlib.util.find_spec("accelerate"):
        pytest.skip("transformers' Trainer needs accelerate; pip install 'actbench[peers]'")
    if "graph" in names and (timing.device.type != "cuda" or race.case.model == "bert"):
        pytest.skip("CUDA graphs need a card, and batches of one length")
    import models
    from bench.data.parts import prepare
    from bench.timing import loops

    if race.case.model == "bert":
        parts = made_sentences(race.recipe.train_size or 0, timing.device)
    else:
        smallest = models.info(race.case.model).minimum_image_size
        try:
            parts = prepare(race.case.dataset, race.recipe, timing.device, smallest, timing.settings.where)
        except DataError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None
    return loops.build(names, race.case, race.recipe, parts, timing.device)


def entered(*names: str) -> pytest.MarkDecorator:
    """Each race with each of its loops, or of its rivals; what needs another package is run with `--peers`."""
    marks = {"trainer": pytest.mark.peers}
    return pytest.mark.parametrize(
        ("race", "loop"),
        [
            pytest.param(race, loop, id=f"{name}-{loop}", marks=marks.get(loop, ()))
            for name, race in RACES.items()
            for loop in (*names, *race.goals)
        ],
    )


@pytest.mark.benchmark(timer=clock)
@entered("suite", "graph")
def test_epoch(race: Race, loop: str, benchmark: Any, timing: TimingContext) -> None:
    benchmark.group = race.group
    epoch = calls(race, [loop], benchmark, timing)[loop]
    benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)
    benchmark.extra_info["examples_per_second"] = race.recipe.train_size / benchmark.stats.stats.median


@pytest.mark.benchmark(timer=clock)
@entered()
def test_the_loop_reaches_its_goal(race: Race, loop: str, benchmark: Any, timing: TimingContext) -> None:
    benchmark.group = f"{race.group}, against its rival"
    pair = calls(race, ["suite", loop], benchmark, timing)
    for epoch in pair.values():
        epoch()
    rounds = {"rounds": ROUNDS[loop], "device": timing.device}
    taken = benchmark.pedantic(interleave.measure_in_turn, args=(pair,), kwargs=rounds)
    speedup = interleave.ratio(taken[loop], taken["suite"])
    benchmark.extra_info["times_rival"] = speedup.median
    benchmark.extra_info["sd_log_times_rival"] = speedup.sd_log
    # A goal is missed when it lies two standard errors above what was seen, not by a noisy machine's last per cent.
    error = speedup.sd_log / math.sqrt(ROUNDS[loop])
    found = f"{speedup.median:.3f} times ± {error:.1%} (n={ROUNDS[loop]} interleaved rounds)"
    goal = f"the suite's loop has {found} the throughput of {loop}; the goal is {race.goals[loop]}"
    assert speedup.median * math.exp(2 * error) >= race.goals[loop], goal
