"""What the documents report, table by table, and the runs that answer each cell. `tables.reported_tables(...)`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench import data, experiments
from bench.cases.case import Case
from bench.cases.recipe import SCALES
from bench.ranking import learning_rates
from bench.records.case_runs import CaseRuns, grouped
from bench.records.reported import ReportedCell
from bench.reporting.views import literature


@dataclass(frozen=True)
class AnsweredCell:
    """One number of a document and what answers it.

    Attributes:
        runs: with the number as what is reported of them; None where nothing was measured.
    """

    reported: ReportedCell
    runs: CaseRuns | None

    @property
    def metric(self) -> str:
        return self.reported.metric

    @property
    def scale(self) -> str:
        """Of the runs; empty without any."""
        return self.runs.key.scale if self.runs else ""


@dataclass(frozen=True)
class ReportedTable:
    """Cells that a document prints together: one network on one data set with one optimizer.

    Attributes:
        cells: metric by metric, as the document has them.
    """

    cells: tuple[AnsweredCell, ...]

    @property
    def first(self) -> ReportedCell:
        """Its document, network, data and optimizer are those of all."""
        return self.cells[0].reported

    @property
    def settings(self) -> str:
        """The variant of all cells; empty where it is what differs between them."""
        variants = {one.reported.case.variant for one in self.cells}
        return self.first.case.variant if len(variants) == 1 else ""

    @property
    def title(self) -> str:
        """`cnn · CIFAR-10 · sgd`."""
        case = self.first.case
        words = (case.experiment, case.model, data.info(case.dataset).label, case.optimizer, self.settings)
        return " · ".join(dict.fromkeys(filter(None, words)))

    @property
    def id(self) -> str:
        """Where it stands on the page."""
        case = self.first.case
        return "-".join(filter(None, (case.experiment, case.model, case.dataset, case.optimizer, self.settings)))

    @property
    def by_metric(self) -> list[tuple[str, list[AnsweredCell]]]:
        """The cells, metric by metric."""
        return list(grouped(self.cells, lambda one: one.metric).items())

    def measured(self, scale: str = "") -> int:
        """How many cells have runs, of one scale or of any."""
        return sum(one.runs is not None and scale in ("", one.scale) for one in self.cells)

    @property
    def cases(self) -> list[Case]:
        """All that it takes to measure the table at `paper`, rates to choose from among them."""
        found = [case for one in self.cells for case in candidates(one.reported.case)]
        return [case for case in dict.fromkeys(found) if _runs_at_paper(case)]


def reported_tables(cells: Iterable[ReportedCell], cases: Sequence[CaseRuns]) -> list[ReportedTable]:
    """One for each network, data set and optimizer of a document, and for each variant that has several activations.

    Args:
        cells: of the documents.
        cases: the runs at hand; each cell is answered at the largest scale that has any.
    """
    at_hand = grouped(cases, lambda one: _question(one.case))
    tables = []
    for family in grouped(cells, lambda one: (one.source, *one.case.without(*one.case.settings).block)).values():
        several = len({one.case.activation for one in family}) > 1
        for part in grouped(family, lambda one: one.case.variant).values() if several else [family]:
            answered = [AnsweredCell(one, _answer(one, at_hand.get(_question(one.case), []))) for one in part]
            tables.append(ReportedTable(tuple(sorted(answered, key=lambda cell: literature.place_of(cell.metric)))))
    return tables


def candidates(case: Case) -> list[Case]:
    """The cases of which one answers a reported cell: where its document searched for a rate, one at each rate."""
    experiment = experiments.find(case.experiment)
    if experiment is None or "lr" in case.settings:
        return [case]
    found = [replace(case, variant=variant) for variant in experiment.variants]
    return [one for one in found if one.without("lr") == case]


def _question(case: Case) -> tuple[str, ...]:
    """What a cell and the runs that answer it share: all but the data, which `tiny` may replace, and the rate."""
    return (case.experiment, case.model, case.activation, case.optimizer, case.without("lr").variant)


def _answer(cell: ReportedCell, at_hand: Iterable[CaseRuns]) -> CaseRuns | None:
    """The runs of the largest scale; of one scale on the document's own data, not on a copy, and the most of them."""
    variants = {one.variant for one in candidates(cell.case)}
    found = [one for one in at_hand if one.case.variant in variants and cell.metric in one.metrics]
    if not found:
        return None

    def place(one: CaseRuns) -> tuple[object, ...]:
        own = one.case.dataset == cell.case.dataset
        copy = one.data_label != data.info(one.case.dataset).label
        return (-SCALES.index(one.key.scale), not own, copy, -one.n, one.key.device_class, one.case.dataset)

    best = min(found, key=place)
    there = [one for one in found if (one.environment, one.case.dataset) == (best.environment, best.case.dataset)]
    return replace(_chosen(there, cell.case.variant), reported={cell.metric: cell.value})


def _chosen(found: Sequence[CaseRuns], variant: str) -> CaseRuns:
    """The rate that is best by validation; a final training, which has no validation part, is the answer itself."""
    own = [one for one in found if one.case.variant == variant]
    if own and not learning_rates.has_validation(own[0]):
        return own[0]
    return learning_rates.best_by_validation(found) or (own or found)[0]


def _runs_at_paper(case: Case) -> bool:
    experiment = experiments.find(case.experiment)
    return experiment is not None and experiment.runs_at(case, "paper")
