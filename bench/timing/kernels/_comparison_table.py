"""Ours beside torch's own and the peers', as tables: `kernels.comparison_table(compared)`."""

from __future__ import annotations

from collections.abc import Sequence

from bench.timing.kernels._goals import goals
from bench.timing.kernels._implementations import Compared
from bench.timing.kernels._measurement import THREADS
from bench.timing.kernels._peers import PEERS, TORCH, is_native

NOTHING = ""
SAME = "= torch"


def comparison_table(found: Sequence[Compared]) -> str:
    """One Markdown table a mode, natives last, then the goals; an empty string without results."""
    if not found:
        return ""
    modes = dict.fromkeys(compared.comparison.mode for compared in found)
    blocks = [_block(mode, [one for one in found if one.comparison.mode == mode]) for mode in modes]
    absent = [peer.name for peer in PEERS.values() if not peer.installed]
    if absent:
        blocks.append(f"not installed: {', '.join(absent)}; pip install 'actbench[peers]'")
    notes = [
        f"{peer.name} {compared.comparison.activation}: {counterpart.note}"
        for peer in PEERS.values()
        for compared in found
        if (counterpart := peer.counterparts.get(compared.comparison.activation)) and counterpart.note
    ]
    failed = [
        f"{name} {compared.comparison.id}: {reason}" for compared in found for name, reason in compared.failed.items()
    ]
    if notes:
        blocks.append("another function under the name: " + "; ".join(dict.fromkeys(notes)))
    if failed:
        blocks.append("failed: " + "; ".join(failed))
    return "\n\n".join([*blocks, "\n".join(f"- {line}" for line in goals(found).splitlines())])


def _block(mode: str, found: Sequence[Compared]) -> str:
    from tabulate import tabulate

    first = found[0]
    keeps = ", in brackets the tensors of the input's size kept for backward" if mode == "forward_backward" else ""
    title = (
        f"{mode}, float32, {first.elements} elements, {THREADS} thread, {first.device_name}, torch {first.torch}: "
        f"fused in multiples of a copy and of torch's relu, all others of fused{keeps}"
    )
    ordered = sorted(found, key=lambda compared: (is_native(compared.comparison.activation), compared.comparison))
    others = ["eager", *PEERS]
    rows = [
        [
            compared.comparison.activation,
            f"{compared.ratio('fused', 'copy').median:.2f}{_kept(compared, 'fused')}",
            f"{compared.ratio('fused', 'relu').median:.2f}",
            *(_cell(compared, name) for name in others),
        ]
        for compared in ordered
    ]
    headers = ["activation", "fused / copy", "/ relu", *others]
    lines = tabulate(
        rows, headers, tablefmt="github", colalign=("left", *["right"] * (len(headers) - 1)), disable_numparse=True
    )
    return f"{title}\n\n{lines}"


def _cell(compared: Compared, name: str) -> str:
    if name in compared.failed:
        return "failed"
    if name in compared.seconds:
        found = compared.ratio(name, "fused")
        return f"{found.median:.2f} ±{found.sd_log:.0%}{_kept(compared, name)}"
    peer = PEERS.get(name, TORCH)
    counterpart = peer.counterparts.get(compared.comparison.activation)
    return SAME if counterpart and counterpart.of_torch and peer.installed else NOTHING


def _kept(compared: Compared, name: str) -> str:
    return f" [{compared.kept[name]:.3g}]" if compared.comparison.mode == "forward_backward" else ""
