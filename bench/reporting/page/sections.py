"""The parts of the page, and those that views, claims and environments make. `sections.view("noise", ...)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.records.case_runs import CaseRuns
from bench.reporting import claims
from bench.reporting.page import pictures
from bench.reporting.page.cases import Cases
from bench.reporting.page.grid import Cell, Grid
from bench.reporting.page.pictures import Picture
from bench.reporting.views import Table, View
from bench.timing.kernels.recorded import RecordedKernel

EVERYTHING = "all experiments"
CLAIMED = "What the documents conclude, judged by these runs, each at the largest scale that has any."
SHOWN_VALUES = 6  # of a field of the recipes


@dataclass(frozen=True)
class Group:
    """What a section shows of one experiment, folded away where there are many."""

    title: str
    lead: str = ""
    grids: Sequence[Grid] = ()
    pictures: Sequence[Picture] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Section:
    """One of the page, with its place in the navigation; without groups it is only named, with its note."""

    id: str
    title: str
    lead: str
    groups: Sequence[Group]
    note: str = ""


def view(name: str, shown: View, observations: Sequence[CaseRuns], kernels: Sequence[RecordedKernel]) -> Section:
    """Tables and pictures of a view; what it takes where there are none."""
    found = shown.shown(observations, kernels)
    drawn, refused = pictures.view_pictures(name, shown, observations) if found else ([], [])
    known = {one.case.experiment for one in observations}

    def of(title: str) -> str:
        """The experiment that a title names."""
        return next((word for word in title.split(" · ") if word in known), EVERYTHING)

    names = dict.fromkeys([*(of(one.caption) for one in drawn), *(of(table.title) for table in found)])
    groups = [
        _group(
            one,
            [table for table in found if of(table.title) == one],
            [each for each in drawn if of(each.caption) == one],
        )
        for one in names
    ]
    if refused:
        groups.append(Group("not drawn", notes=refused))
    lead = shown.summary[:1].upper() + shown.summary[1:] + "."
    return Section(name, name.replace("_", " ").capitalize(), lead, groups, "" if found else shown.needs)


def _group(title: str, tables: Sequence[Table], drawn: Sequence[Picture]) -> Group:
    """Notes that all tables share stand once, below them."""
    shared = [note for note in tables[0].notes if all(note in table.notes for table in tables)] if tables else []
    own = [replace(table, notes=tuple(note for note in table.notes if note not in shared)) for table in tables]
    return Group(title, grids=[Grid.of(table) for table in own], pictures=drawn, notes=shared)


def claimed(observations: Sequence[CaseRuns]) -> Section:
    """What the documents conclude, and whether these runs bear it out."""
    rows = [row for row in claims.at_largest_scale(claims.judged_claims(observations)) if row.where]
    columns = {
        "id": [Cell(row.claim.id) for row in rows],
        "claim": [Cell(row.claim.text) for row in rows],
        "judged": [Cell(row.judgement.verdict, look=f"verdict {row.judgement.verdict}") for row in rows],
        "n": [Cell(str(row.judgement.n or "")) for row in rows],
        "95 % interval": [Cell(row.judgement.interval) for row in rows],
        "why": [Cell(row.judgement.reason) for row in rows],
        "on": [Cell(row.where) for row in rows],
        "source": [Cell(row.claim.source) for row in rows],
    }
    missing = [claim.id for claim in claims.CLAIMS.values() if claim.id not in {row.claim.id for row in rows}]
    without = f"no runs here speak of {', '.join(missing)}" if missing else ""
    groups = [Group(EVERYTHING, grids=[Grid("Claims", columns, claims.LEGEND.splitlines())])] if rows else []
    return Section("claims", "Claims", CLAIMED, groups, without)


def environments(found: Cases) -> Section:
    """Where the runs were made, and by what recipe."""
    names = list(dict.fromkeys(name for one in found.fingerprints for name in one))
    columns = {
        "no.": [Cell(str(number + 1)) for number in range(len(found.fingerprints))],
        **{name: [Cell(str(one.get(name, ""))) for one in found.fingerprints] for name in names},
        "runs": [Cell(str(found.runs_under[number])) for number in range(len(found.fingerprints))],
    }
    note = "canary: the digest of a fixed computation; runs under equal fingerprints must give equal bits"
    groups = [Group("fingerprints", grids=[Grid("Fingerprints", columns, [note])])]
    recipes: dict[str, dict[str, list[Mapping[str, object]]]] = {}
    for case, entries in found.entries.items():
        for entry in entries:
            by_scale = recipes.setdefault(case.split("-")[0], {})
            by_scale.setdefault(entry["environment"]["scale"], []).append(found.recipes[entry["recipe"]])
    groups += [
        Group(name, grids=[_recipes(f"{name} · {scale}", each) for scale, each in by_scale.items()])
        for name, by_scale in recipes.items()
    ]
    lead = "What fixed the numbers. Each case's own recipe and fingerprint stand in its entry under Cases."
    return Section("environment", "Environment and recipes", lead, groups)


def _recipes(title: str, found: Sequence[Mapping[str, object]]) -> Grid:
    """Each field, with all its values."""
    values = {field: list(dict.fromkeys(str(one.get(field)) for one in found)) for field in found[0]}
    columns = {"field": [Cell(field) for field in values], "value": [Cell(_listed(each)) for each in values.values()]}
    return Grid(title, columns)


def _listed(values: Sequence[str]) -> str:
    more = f" and {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else ""
    return ", ".join(values[:SHOWN_VALUES]) + more
