"""What activations cost: forward and backward, in cache and in memory, in multiples of relu and of a copy.

    pytest bench/timing/test_kernels.py -n0
    pytest bench/timing/test_kernels.py -n0 -k "silu and bfloat16 and cache"
    pytest bench/timing/test_kernels.py -n0 --record

No absolute time is asserted: what is judged is the ratio to relu, measured interleaved, against the ratio
recorded on the same model of machine, and on any machine the bytes that are kept for backward.

    pytest bench/timing/test_kernels.py -n0 --peers -k implementations
    pytest bench/timing/test_kernels.py -n0 --peers -k "mish and implementations"

times every activation of the registry beside torch's own, torch-activation, timm and transformers (as far as
`pip install actbench[peers]` has them here), 5 to 15 s each; without `--peers` these are left out, and the summary
says so. Their table is printed, and written to implementations.md in the results folder.
"""

from typing import Any

import pytest

from bench.records.verdict import fails
from bench.timing.context import TimingContext
from bench.timing.kernels.kernel import Kernel
from bench.timing.kernels.measurement import measure_kernel, prepare_kernel, steady
from bench.timing.kernels.recorded import key_on, read_kernels, record_kernel, row_for
from bench.timing.kernels.timings import TimedKernel
from bench.timing.kernels.verdict import check_kernel
from bench.timing.peers.comparison import PeerCase, time_peers
from bench.training.device import clock

# pytest-benchmark's own rounds and calls a round: absolute times for its table and JSON, beside our ratios.
ROUNDS = {"cache": (20, 20), "memory": (3, 1)}
# Tensors of the input's size that fused functions keep for backward; what generated parameters take is a thousandth.
KEPT = 1.01


@pytest.mark.benchmark(timer=clock)
def test_kernel(kernel: Kernel, benchmark: Any, timing: TimingContext) -> None:
    if not benchmark.enabled:
        pytest.fail("not timed: pytest-benchmark is off; run without --benchmark-disable", pytrace=False)
    found = timed(kernel, timing)
    timing.timed.append(found)
    benchmark.group = f"kernels: {kernel.dtype}, {kernel.size}, {kernel.mode}"
    benchmark.extra_info.update(found.measurement.extra_info)
    rounds, iterations = ROUNDS[kernel.size]
    with steady():
        call = prepare_kernel(kernel, timing.device).call
        benchmark.pedantic(call, rounds=rounds, iterations=iterations, warmup_rounds=1)
    if fails(found.verdict, strict=timing.settings.strict, require=timing.settings.require):
        pytest.fail(found.message, pytrace=False)


def timed(kernel: Kernel, timing: TimingContext) -> TimedKernel:
    """Measured, and judged or recorded as the session asks for."""
    if timing.settings.record:
        measurement, recorded = record_kernel(kernel, timing.device)
        return TimedKernel(measurement, "RECORDED", recorded=recorded)
    if timing.settings.baseline_mode == "ignore":
        return TimedKernel(measure_kernel(kernel, timing.device), "IGNORED")
    row = row_for(read_kernels(timing.settings.baseline_dir), key_on(kernel, timing.device))
    commands = timing.settings.commands
    options = commands.needed([kernel.activation])
    return check_kernel(kernel, row, timing.device, timing.cases, options, commands.judging)


@pytest.mark.peers
@pytest.mark.benchmark(timer=clock)
def test_implementations(peer_case: PeerCase, benchmark: Any, timing: TimingContext) -> None:
    if not benchmark.enabled:
        pytest.fail("not timed: pytest-benchmark is off; run without --benchmark-disable", pytrace=False)
    benchmark.group = f"implementations: {peer_case.mode}"
    found = benchmark.pedantic(time_peers, args=(peer_case, timing.device))
    benchmark.extra_info.update(found.extra_info)
    timing.peer_times.append(found)
    kept = found.kept["fused"]
    if kept > KEPT:
        pytest.fail(f"fused keeps {kept:.2f} tensors of the input's size for backward, not one", pytrace=False)
