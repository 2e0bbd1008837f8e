"""Memory: what runs take of a card's, beside what was recorded. `memory.compared(records, row)`.

It is a count, and equal kernels want equal room: no test, and no fresh seeds. On a CPU nothing is counted but the bytes
kept for backward, which first steps hold to the byte (`bench.regression.probes`).
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.records.baseline import Baseline
from bench.records.record import Record

ALLOWED = 0.05  # as Megatron-LM's golden values allow it: an allocator may lay the same tensors out in another way
# Of fingerprints: what chooses the kernels, and with them their workspaces.
OF_KERNELS = ("device_name", "torch", "cudnn")


def compared(records: Sequence[Record], row: Baseline) -> tuple[str, str]:
    """`REGRESSED` or `IMPROVED` with the bytes in words; both empty where there is no difference, or none to be told.

    Norms of gradients (`--gradients`) take memory of their own, so that such runs are not compared.
    """
    peaks = [one.peak_bytes for one in records if one.peak_bytes is not None and not one.gradients]
    others = any(one.fingerprint.get(name) != row.fingerprint.get(name) for one in records for name in OF_KERNELS)
    if not peaks or not row.peak_bytes or others:
        return "", ""
    now, more = max(peaks), max(peaks) / row.peak_bytes - 1
    if abs(more) <= ALLOWED:
        return "", ""
    text = f"peak memory {now:,} bytes, recorded {row.peak_bytes:,}: {more:+.1%}, {ALLOWED:.0%} are allowed"
    return "REGRESSED" if more > 0 else "IMPROVED", text
