"""What activations cost: forward and backward, in cache and in memory, in multiples of relu and of a copy.

    pytest bench/timing/test_kernels.py -n0
    pytest bench/timing/test_kernels.py -n0 -k "silu and bfloat16 and cache"
    pytest bench/timing/test_kernels.py -n0 --record

No absolute time is asserted: what is judged is the ratio to relu, measured interleaved, against the ratio
recorded on the same model of machine.

    pytest bench/timing/test_kernels.py -n0 --peers -k implementations
    pytest bench/timing/test_kernels.py -n0 --peers -k "mish and implementations"

times every activation of the registry beside torch's own, torch-activation, timm and transformers (as far as
`pip install actbench[peers]` has them here), 5 to 15 s each; without `--peers` these are left out, and the summary
says so. Their table and the goals that hold are printed, and written to implementations.md in the results folder.
"""

from typing import Any

import pytest

from bench.timing import kernels
from bench.timing.context import TimingContext
from bench.training.device import clock

# pytest-benchmark's own rounds and calls a round: absolute times for its table and JSON, beside our ratios.
ROUNDS = {"cache": (20, 20), "memory": (3, 1)}


@pytest.mark.benchmark(timer=clock)
def test_kernel(kernel: kernels.Kernel, benchmark: Any, timing: TimingContext) -> None:
    if not benchmark.enabled:
        pytest.fail("not timed: pytest-benchmark is off; run without --benchmark-disable", pytrace=False)
    row = kernels.read(timing.settings.baseline_dir).get(kernels.key(kernel, timing.device))
    verdict = None
    if timing.settings.record:
        measurement, row = kernels.record(kernel, timing.device)
    elif timing.settings.baseline_mode == "ignore":
        measurement = kernels.measure(kernel, timing.device)
    else:
        options = timing.settings.commands.needed([kernel.activation])
        measurement, verdict = kernels.check(kernel, row, timing.device, timing.cases, options)
    timing.rows.append((measurement, verdict, row))
    benchmark.group = f"kernels: {kernel.dtype}, {kernel.size}, {kernel.mode}"
    benchmark.extra_info.update(measurement.extra_info)
    rounds, iterations = ROUNDS[kernel.size]
    with kernels.steady():
        call = kernels.prepare(kernel, timing.device).call
        benchmark.pedantic(call, rounds=rounds, iterations=iterations, warmup_rounds=1)
    refused = {"REGRESSED"}
    refused |= {"IMPROVED"} if timing.settings.strict else set()
    refused |= {"NEW"} if timing.settings.require else set()
    if verdict and verdict.name in refused:
        pytest.fail(verdict.explanation, pytrace=False)


@pytest.mark.peers
@pytest.mark.benchmark(timer=clock)
def test_implementations(comparison: kernels.Comparison, benchmark: Any, timing: TimingContext) -> None:
    if not benchmark.enabled:
        pytest.fail("not timed: pytest-benchmark is off; run without --benchmark-disable", pytrace=False)
    benchmark.group = f"implementations: {comparison.mode}"
    compared = benchmark.pedantic(kernels.compare, args=(comparison, timing.device))
    benchmark.extra_info.update(compared.extra_info)
    timing.compared.append(compared)
    # Of the goals, the one that no noise touches; the others are reported.
    kept = compared.kept["fused"]
    if kept > kernels.KEPT:
        pytest.fail(f"fused keeps {kept:.2f} tensors of the input's size for backward, not one", pytrace=False)
