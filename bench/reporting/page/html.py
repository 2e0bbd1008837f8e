"""The report: one HTML page without a network. `page.write(sources.merged([Path("results")], baselines), folder)`.

pytest bench -k "mlp and digits" --report report
python -m bench report results other_machine/results --to report
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from bench.display import figures
from bench.ranking import rank
from bench.records.history import Entry
from bench.records.record import write_text
from bench.records.verdict import VERDICTS, fails
from bench.reporting.advice import Advice, advised
from bench.reporting.page import cases, costs, sections, sheets, standings
from bench.reporting.page.grid import Cell, Grid
from bench.reporting.page.sections import Section
from bench.reporting.page.sources import Sources
from bench.reporting.views import VIEWS

FILE = "index.html"
MOST_OPEN = 3  # groups of a section that are unfolded at once


@dataclass(frozen=True)
class Summary:
    """The head of the page.

    Attributes:
        facts: what the page is made of, by what it is about.
        judged: whether any case was.
        counts: cases by verdict, those that fail first.
        advice: which activation to take; None without two that were measured together.
        failed: what is to be done about.
        noted: the cases that pass and want somebody's eye; None where there are none.
        leaders: who is how often among the first; None without two activations in any block.
        notes: on the merging of folders.
    """

    facts: dict[str, str]
    judged: bool
    counts: dict[str, int]
    advice: Advice | None
    failed: Sequence[Entry]
    noted: Grid | None
    leaders: Grid | None
    notes: Sequence[str]


def write(sources: Sources, folder: Path) -> Path:
    """Write the page into a folder.

    Raises:
        ResultsError: the folder cannot be written.
    """
    path = folder / FILE
    write_text(path, render(sources))
    return path


def render(sources: Sources) -> str:
    """The page as text."""
    observations = sources.observations
    blocks = rank.blocks(observations)
    said = {key: one.verdict for key, one in sources.verdicts.items()}
    found = cases.collected(sources)
    with figures.style():
        made: list[Section] = [
            *((standings.ranking_section(blocks, said), standings.heat_map(blocks)) if blocks else ()),
            *(sections.view(name, view, observations, sources.recorded_kernels) for name, view in VIEWS.items()),
            sections.claimed(observations),
            costs.section(sources),
        ]
        drawn = sheets.fact_sheets(one.activation for one in observations)
    return (
        _templates()
        .get_template("page.html.jinja")
        .render(
            summary=_summary(sources, standings.leaders(blocks)),
            sections=[one for one in made if one.groups],
            absent=[one for one in made if not one.groups],
            sheets=drawn,
            cases=found,
            environment=sections.environments(found),
            most_open=MOST_OPEN,
        )
    )


def _summary(sources: Sources, leaders: Grid) -> Summary:
    said = sorted(sources.verdicts.values(), key=lambda one: one.key)
    counts = Counter(one.verdict for one in said)
    noted = [one for one in said if not one.failed and (VERDICTS[one.verdict].noted or fails(one.verdict))]
    return Summary(
        facts=_facts(sources),
        judged=any(VERDICTS[name].judged for name in counts),
        counts={name: counts[name] for name in VERDICTS if counts[name]},
        advice=advised(sources.observations, sources.recorded_kernels),
        failed=[one for one in said if one.failed],
        noted=_noted(noted) if noted else None,
        leaders=leaders if leaders.rows else None,
        notes=[*sources.notes, *_unsaid(sources)],
    )


def _unsaid(sources: Sources) -> Iterator[str]:
    """Where records and verdicts do not belong together."""
    without = sum(key not in sources.verdicts for key in sources.records)
    if sources.verdicts and without:
        yield f"{without} of {len(sources.records)} cases have no verdict: the session that ran them did not end"
    older = sum(
        one.date < max(run.date for run in sources.records.get(key, ())) if key in sources.records else False
        for key, one in sources.verdicts.items()
    )
    if older:
        yield f"{older} verdicts are older than the latest runs of their cases: judge anew with pytest bench --resume"


def _noted(found: Sequence[Entry]) -> Grid:
    columns = {
        "verdict": [standings.verdict(one.verdict) for one in found],
        "case": [Cell(f"{one.key.case.id} {one.key.scale}", href=f"#case-{one.key.case.id}") for one in found],
        "why": [Cell(one.reason) for one in found],
    }
    return Grid("Passed, and worth a look", columns)


def _facts(sources: Sources) -> dict[str, str]:
    observations = sources.observations
    runs = sum(one.n for one in observations)
    dates = sorted(
        [run.date[:10] for runs in sources.records.values() for run in runs]
        + [row.date for row in sources.baselines.values()]
    )
    span = " to ".join(dict.fromkeys([dates[0], dates[-1]])) if dates else ""
    prints = [run.fingerprint for runs in sources.records.values() for run in runs]
    prints += [row.fingerprint for row in sources.baselines.values()]
    facts = {
        "made of": "recorded baselines" if sources.baselines else "records",
        "cases": f"{len(observations):,}",
        "runs": f"{runs:,}",
        "experiments": f"{len({one.case.experiment for one in observations})}",
        "scale": _listed(one.key.scale for one in observations),
        "device": _listed(one.key.device_class for one in observations),
        "torch": _listed(str(one.get("torch", "")) for one in prints),
        "run": span,
        "page made": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    return {name: text for name, text in facts.items() if text}


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted({value for value in values if value}))


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("bench.reporting.page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
