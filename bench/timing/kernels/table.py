"""The session's kernels as a table for the terminal: `kernel_table(timed)`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.records.verdict import VERDICTS
from bench.timing.kernels.timings import TimedKernel

NOT_TIMED = "–"
HEADERS = ("activation", "forward", "forward+backward", "x relu", "x copy", "bytes kept", "verdict")


def kernel_table(timed: Iterable[TimedKernel]) -> str:
    """One block for each dtype and size, cheapest activation first; an empty string without timings.

    The ratios are those of forward and backward together, or of forward where nothing else was timed; ± is
    the spread between the rounds of one measurement. The last column appears where a verdict is remarkable.
    """
    blocks: dict[tuple[str, str], dict[str, list[TimedKernel]]] = {}
    for one in timed:
        kernel = one.measurement.kernel
        blocks.setdefault((kernel.dtype, kernel.size), {}).setdefault(kernel.activation, []).append(one)
    return "\n\n".join(_block(list(block.values())) for block in blocks.values())


def _block(activations: Sequence[Sequence[TimedKernel]]) -> str:
    from tabulate import tabulate

    first = activations[0][0].measurement
    kernel, shape = first.kernel, " x ".join(map(str, first.kernel.shape))
    title = f"kernels, {kernel.dtype}, in {kernel.size} ({shape}), {first.threads} thread, {first.device_name}"
    rows = [cells for _, cells in sorted(map(_row, activations))]
    if not any(cells[-1] for cells in rows):
        rows = [cells[:-1] for cells in rows]
    align = ("left", *["right"] * 5, "left")[: len(rows[0])]
    return f"{title}\n{tabulate(rows, HEADERS[: len(rows[0])], colalign=align, disable_numparse=True)}"


def _row(timed: Sequence[TimedKernel]) -> tuple[float, list[str]]:
    """The ratio to sort by, and the cells."""
    by_mode = {one.measurement.kernel.mode: one.measurement for one in timed}
    forward, both = by_mode.get("forward"), by_mode.get("forward_backward")
    leading = both or timed[0].measurement
    remarkable = [
        f"{one.verdict} ({one.measurement.kernel.mode})" for one in timed if VERDICTS[one.verdict].fails != "never"
    ]
    cells = [
        leading.kernel.activation,
        _seconds(forward.seconds) if forward else NOT_TIMED,
        _seconds(both.seconds) if both else NOT_TIMED,
        f"{leading.ratio_relu:.2f} ±{leading.sd_log_ratio_relu:.0%}",
        f"{leading.ratio_copy:.2f}",
        _bytes(both.bytes_saved) if both else NOT_TIMED,
        ", ".join(remarkable),
    ]
    return leading.ratio_relu, cells


def _seconds(value: float) -> str:
    scale, unit = (1e6, "µs") if value < 1e-3 else (1e3, "ms")
    return f"{value * scale:.3g} {unit}" if value * scale < 1000 else f"{value * scale:.0f} {unit}"


def _bytes(value: int) -> str:
    return f"{value / 2**20:.1f} MiB" if value >= 2**20 else f"{value / 2**10:.0f} KiB"
