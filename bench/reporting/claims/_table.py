"""The claims table: every claim judged at each scale, the largest first. `claims_table(judged_claims(cases))`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from textwrap import fill

from tabulate import tabulate

from bench.cases.recipe import SCALES
from bench.records.case_runs import CaseRuns, grouped
from bench.reporting.claims._judgement import Conclusion, nothing
from bench.reporting.claims._registry import CLAIMS, Claim
from bench.stats.power import POWER

WIDTHS = {"claim": 34, "interval": 46, "why": 30, "judged on": 18}
LEGEND = (
    "95 % intervals of differences paired by seed, positive in favour of the claim; several at once by Holm at 5 %; "
    "n runs a side.\n"
    f"Seeds that would tell: so many a side show the differences that are seen here with {POWER:.0%} power, one way\n"
    "or the other; after few runs a rough guess, since the differences themselves are unsure.\n"
    "Judged at tiny, a claim speaks of the tiny recipe on a part of the data, and not of its source's."
)


@dataclass(frozen=True)
class JudgedClaim:
    """A claim judged in one environment; `where` and `scale` are empty where there are no cases."""

    claim: Claim
    scale: str
    where: str
    judgement: Conclusion


def judged_claims(cases: Sequence[CaseRuns]) -> list[JudgedClaim]:
    """All claims, a row for each scale, device and data that has cases of it, the largest scale first."""
    rows = []
    for claim in CLAIMS.values():
        concerned = [one for one in cases if one.case.experiment in claim.experiments and claim.concerns(one)]
        found = [
            JudgedClaim(claim, members[0].key.scale, _where(members), claim.judge(members))
            for members in _environments(concerned, claim.joins)
        ]
        rows += found or [JudgedClaim(claim, "", "", nothing())]
    return rows


def at_largest_scale(rows: Iterable[JudgedClaim]) -> list[JudgedClaim]:
    """Of each claim those at the largest scale at which anything was judged, of one without any the first."""
    kept = []
    for judged in grouped(rows, lambda row: row.claim.id).values():
        first = next((row for row in judged if row.judgement.n), judged[0])
        kept += [row for row in judged if row.scale == first.scale]
    return kept


def claims_text(cases: Sequence[CaseRuns], every_scale: bool) -> str:
    """All claims as a table, at the largest scale of each alone unless every one is asked for."""
    rows = judged_claims(cases)
    shown = rows if every_scale else at_largest_scale(rows)
    more = len(rows) - len(shown)
    return claims_table(shown) + (f"\n{more} more at smaller scales: --all shows them." if more else "")


def claims_table(rows: Iterable[JudgedClaim], style: str = "simple") -> str:
    """As text; `style` is one of tabulate's."""
    wrapped = style == "simple"

    def cell(text: str, column: str) -> str:
        return fill(text, WIDTHS[column]) if wrapped else text

    lines = [
        (
            row.claim.id,
            cell(row.claim.text, "claim"),
            row.judgement.verdict,
            str(row.judgement.n or ""),
            cell(row.judgement.interval, "interval"),
            cell(row.judgement.reason, "why"),
            cell(row.where, "judged on"),
        )
        for row in rows
    ]
    headers = ("", "claim", "", "n", "95 % interval", "why", "judged on")
    return f"{tabulate(lines, headers=headers, tablefmt=style, disable_numparse=True)}\n\n{LEGEND}"


def _environments(cases: Sequence[CaseRuns], joined: bool) -> Iterator[list[CaseRuns]]:
    """Runs of cases by scale, the largest first, device and data set; joined data sets by the copies of each."""

    def place(one: CaseRuns) -> tuple[int, str, str]:
        return (-SCALES.index(one.key.scale), one.key.device_class, "" if joined else one.case.dataset)

    for _, members in sorted(grouped(cases, place).items()):
        copies = grouped(members, lambda one: one.case.dataset)
        hashes = {name: sorted({one.key.data_hash for one in found}) for name, found in copies.items()}
        for chosen in product(*hashes.values()):
            kept = dict(zip(hashes, chosen, strict=True))
            yield [one for one in members if kept[one.case.dataset] == one.key.data_hash]


def _where(members: Sequence[CaseRuns]) -> str:
    """`tiny: MNIST, CIFAR-10 (JPEG-75 copy)`."""
    first = members[0]
    device = "" if first.key.device_class == "cpu" else f" on {first.key.device_class}"
    return f"{first.key.scale}{device}: {', '.join(dict.fromkeys(one.data_label for one in members))}"
