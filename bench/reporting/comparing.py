"""Two result folders beside each other, as text: `comparison_text(compare.compare(before, after))`."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from bench.display.tables import UNKNOWN
from bench.records.runs import Runs
from bench.regression.compare import FolderComparison, PairedCase, fewest_to_be_plain

QUIET = ("SAME", "MOVED", "WITHIN")


def comparison_text(found: FolderComparison, everything: bool = False) -> str:
    """As text: the cases that want attention, or all of them, and what these runs could have shown."""
    shown = [one for one in found.cases if everything or one.verdict not in QUIET or one.suspect]
    counts = Counter(one.verdict for one in found.cases)
    pairs = sum(len(one.before) for one in found.cases)
    total = f"{pairs} pairs of runs with one seed, of {len(found.cases)} case(s)"
    machines = Counter(one.machines for one in found.cases if one.machines)
    lines = [
        f"{total}: {', '.join(f'{count} {verdict}' for verdict, count in counts.items())}" if counts else total,
        *(f"another fingerprint in {count} case(s): {text}" for text, count in machines.items()),
        *(
            f"{count} records {reason}: no run of their case, scale, recipe version, data and seed in the other folder"
            for reason, count in found.apart.items()
        ),
        *_reach(found.cases),
        *_seconds(found.cases),
    ]
    return "\n".join([*([_table(shown)] if shown else []), *lines])


def _reach(cases: Sequence[PairedCase]) -> Iterable[str]:
    """What more seeds are good for."""
    suspects = [one for one in cases if one.suspect]
    if suspects:
        wanted = max(4 * max(len(one.before) for one in suspects), fewest_to_be_plain(len(cases)))
        yield f"? may be chance, by so few seeds among {len(cases)} case(s): --seeds {wanted} tells"
    for measured in dict.fromkeys(one.measured for one in cases):
        moved = [one for one in cases if one.measured == measured and one.verdict != "SAME"]
        known = [one.findable for one in moved if math.isfinite(one.findable)]
        if known:
            least = f"{statistics.median(known) * measured.factor:.2g}{measured.points}"
            yield f"smallest finding possible in {measured.name}, median case: {least}"
        elif moved:
            yield f"{measured.name}: no case has two pairs that trained, so no difference could be a finding"


def _seconds(cases: Sequence[PairedCase]) -> Iterable[str]:
    runs = [pair for one in cases for pair in zip(one.before, one.after, strict=True)]
    ratios = [other.seconds / one.seconds for one, other in runs if one.seconds > 0]
    if ratios:
        yield f"seconds a run, after / before: median {statistics.median(ratios):.2f}, not judged (not interleaved)"


def _table(shown: Sequence[PairedCase]) -> str:
    rows = []
    for one in shown:
        scale = one.measured.factor
        gain = one.difference.times(scale)
        half = f" ± {gain.half:.3g}" if gain.known else ""
        rows.append(
            {
                "case": " ".join([one.case.id, one.scale, *one.devices]),
                "metric": one.measured.heading,
                "before": _summary(Runs.of(one.before), scale),
                "after": _summary(Runs.of(one.after), scale),
                "gain": f"{gain.value:+.3g}{half}" if gain.n else UNKNOWN,
                "pairs": f"{len(one.before)} ({one.same} equal)",
                "verdict": one.verdict + (f" ({one.suspect}?)" if one.suspect else ""),
            }
        )
    return tabulate(rows, headers="keys", disable_numparse=True)


def _summary(runs: Runs, scale: float) -> str:
    mean = f"{runs.mean * scale:.4g}" if runs.trained else ""
    return ", ".join(filter(None, (mean, runs.untrained)))
