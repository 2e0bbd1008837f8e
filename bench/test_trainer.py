"""How fast the suite's training loop is, beside the bare step on one batch and PyTorch's tutorial loop.

    pytest bench/test_trainer.py -n0 --data-dir DIR

All three train the tutorial's CNN in batches of 128, float32, one thread. The goals are ratios of
throughputs, measured interleaved: 0.95 of the bare step, 2.5 times the tutorial's loop.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from bench import interleave
from bench.case import Case
from bench.data.errors import DataError
from bench.recipe import Recipe
from bench.reporter import Timing

GROUP = "trainer: cnn, cifar10, batch 128"
CASE = Case("trainer", "cnn", "cifar10", "relu", "sgd")
RECIPE = Recipe(
    version=1,
    epochs=1,
    batch_size=128,
    learning_rate=1e-2,
    momentum=0.9,
    initialisation="torch",
    train_size=40 * 128,
    test_size=1000,
    threads=1,
)
ROUNDS = 7
GOALS = {"limit": 0.95, "dataloader": 2.5}


@pytest.fixture
def epochs(benchmark: Any, timing: Timing) -> Iterator[dict[str, interleave.Call]]:
    if not benchmark.enabled:
        pytest.fail("not timed: pytest-benchmark is off; run without --benchmark-disable", pytrace=False)
    import models
    from bench import loops
    from bench.data.parts import prepare

    smallest = models.info(CASE.model).minimum_image_size
    with interleave.threads(RECIPE.threads or 1):
        try:
            parts = prepare(CASE.dataset, RECIPE, timing.device, smallest, timing.data_dir)
        except DataError as error:
            pytest.fail(str(error), pytrace=False)
        yield loops.build(CASE, RECIPE, parts, timing.device)


@pytest.mark.benchmark(group=GROUP, timer=interleave.clock)
@pytest.mark.parametrize("loop", ["suite", "limit", "dataloader"])
def test_epoch(loop: str, benchmark: Any, epochs: dict[str, interleave.Call], timing: Timing) -> None:
    benchmark.pedantic(epochs[loop], rounds=3, warmup_rounds=1)
    benchmark.extra_info["images_per_second"] = RECIPE.train_size / benchmark.stats.stats.median


@pytest.mark.benchmark(group=f"{GROUP}, {ROUNDS} rounds of all three", timer=interleave.clock)
def test_the_loop_reaches_the_goals(benchmark: Any, epochs: dict[str, interleave.Call], timing: Timing) -> None:
    for epoch in epochs.values():
        epoch()
    taken = benchmark.pedantic(interleave.measure, args=(epochs,), kwargs={"rounds": ROUNDS, "device": timing.device})
    speedups = {rival: interleave.ratio(taken[rival], taken["suite"]) for rival in GOALS}
    for rival, speedup in speedups.items():
        benchmark.extra_info[f"times_{rival}"] = speedup.median
        benchmark.extra_info[f"sd_log_times_{rival}"] = speedup.sd_log
    missed = [
        f"the suite's loop reaches {speedup.median:.3f} ± {speedup.sd_log:.1%} times the throughput of "
        f"{rival}, not {GOALS[rival]} (n={ROUNDS} interleaved rounds)"
        for rival, speedup in speedups.items()
        if speedup.median < GOALS[rival]
    ]
    if missed:
        pytest.fail("\n".join([*missed, "reproduce:  pytest bench/test_trainer.py -n0"]), pytrace=False)
