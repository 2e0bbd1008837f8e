"""The session's kernels as a table for the terminal: `kernels.table(results)`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from bench.timing.kernels._measurement import Measurement
from bench.timing.kernels._rows import Row
from bench.timing.kernels._verdict import Verdict

Result: TypeAlias = tuple[Measurement, Verdict | None, Row | None]

NOT_TIMED = "–"


def table(results: Iterable[Result]) -> str:
    """One block for each dtype and size, cheapest activation first; an empty string without results.

    The ratios are those of forward and backward together, or of forward where nothing else was timed; ± is
    the spread between the rounds of one measurement. The last column appears where a verdict is not WITHIN.
    """
    blocks: dict[tuple[str, str], dict[str, list[Result]]] = {}
    for result in results:
        kernel = result[0].kernel
        blocks.setdefault((kernel.dtype, kernel.size), {}).setdefault(kernel.activation, []).append(result)
    return "\n\n".join(_block(dtype, size, list(block.values())) for (dtype, size), block in blocks.items())


def _block(dtype: str, size: str, activations: list[list[Result]]) -> str:
    from tabulate import tabulate

    remarkable = any(_verdicts(results) for results in activations)
    rows = sorted((_row(results) for results in activations), key=lambda row: row[0])
    first = activations[0][0][0]
    elements = first.kernel.shape
    title = (
        f"kernels, {dtype}, in {size} ({' x '.join(map(str, elements))}), {first.threads} thread, {first.device_name}"
    )
    headers = ["activation", "forward", "forward+backward", "x relu", "x copy", "bytes kept", "verdict"]
    columns = len(headers) if remarkable else len(headers) - 1
    lines = tabulate(
        [cells[:columns] for _, cells in rows],
        headers[:columns],
        colalign=("left", *["right"] * 5, *["left"] * remarkable),
        disable_numparse=True,
    )
    return f"{title}\n{lines}"


def _row(results: Sequence[Result]) -> tuple[float, list[str]]:
    by_mode = {result[0].kernel.mode: result[0] for result in results}
    forward, both = by_mode.get("forward"), by_mode.get("forward_backward")
    leading = both or results[0][0]
    cells = [
        leading.kernel.activation,
        _seconds(forward.seconds) if forward else NOT_TIMED,
        _seconds(both.seconds) if both else NOT_TIMED,
        f"{leading.ratio_relu:.2f} ±{leading.sd_log_ratio_relu:.0%}",
        f"{leading.ratio_copy:.2f}",
        _bytes(both.bytes_saved) if both else NOT_TIMED,
        _verdicts(results),
    ]
    return leading.ratio_relu, cells


def _verdicts(results: Iterable[Result]) -> str:
    return ", ".join(
        f"{verdict.name} ({measurement.kernel.mode})"
        for measurement, verdict, _ in results
        if verdict and verdict.name != "WITHIN"
    )


def _seconds(value: float) -> str:
    scale, unit = (1e6, "µs") if value < 1e-3 else (1e3, "ms")
    return f"{value * scale:.3g} {unit}" if value * scale < 1000 else f"{value * scale:.0f} {unit}"


def _bytes(value: int) -> str:
    return f"{value / 2**20:.1f} MiB" if value >= 2**20 else f"{value / 2**10:.0f} KiB"
