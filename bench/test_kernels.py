"""What activations cost: forward and backward, in cache and in memory, in multiples of relu and of a copy.

    pytest bench/test_kernels.py -n0
    pytest bench/test_kernels.py -n0 -k "silu and bfloat16 and cache"
    pytest bench/test_kernels.py -n0 --record

No absolute time is asserted: what is judged is the ratio to relu, measured interleaved, against the ratio
recorded on the same model of machine.
"""

from typing import Any

import pytest

from bench import interleave, kernels
from bench.reporter import Timing

# pytest-benchmark's own rounds and calls a round: absolute times for its table and JSON, beside our ratios.
ROUNDS = {"cache": (20, 20), "memory": (3, 1)}


@pytest.mark.benchmark(timer=interleave.clock)
@pytest.mark.parametrize("kernel", kernels.catalogue(), ids=lambda kernel: kernel.id)
def test_kernel(kernel: kernels.Kernel, benchmark: Any, timing: Timing) -> None:
    if not benchmark.enabled:
        pytest.fail("not timed: pytest-benchmark is off; run without --benchmark-disable", pytrace=False)
    row = kernels.read(timing.baselines).get(kernels.key(kernel, timing.device))
    verdict = None
    if timing.record:
        measurement, row = kernels.record(kernel, timing.device)
    elif timing.mode == "ignore":
        measurement = kernels.measure(kernel, timing.device)
    else:
        measurement, verdict = kernels.check(kernel, row, timing.device, timing.cases)
    timing.rows.append((measurement, verdict, row))
    benchmark.group = f"kernels: {kernel.dtype}, {kernel.size}, {kernel.mode}"
    benchmark.extra_info.update(measurement.extra_info)
    rounds, iterations = ROUNDS[kernel.size]
    with kernels.steady():
        call = kernels.prepare(kernel, timing.device).call
        benchmark.pedantic(call, rounds=rounds, iterations=iterations, warmup_rounds=1)
    refused = {"REGRESSED"}
    refused |= {"IMPROVED"} if timing.strict else set()
    refused |= {"NEW"} if timing.mode == "require" else set()
    if verdict and verdict.name in refused:
        pytest.fail(verdict.explanation, pytrace=False)
