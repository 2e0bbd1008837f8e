"""Rank: which activation is best in each block, and do the blocks agree? `rank.blocks(results)`.

A rank is a range: `1–3` says that nothing separates the first three. Two activations are told apart by the
Games-Howell procedure at a family-wise 5 % within their block; with one seed nothing can be.
"""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from scipy import stats

import activations
from bench import data
from bench.case import Case
from bench.record import Record
from bench.session import Result

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Row:
    """One activation in its block; means are over all its seeds, collapsed and diverged runs included.

    Attributes:
        best, worst: the range of ranks that the data allow, from 1.
        figure: the judged metric, aggregated over the seeds as the recipe says.
        half_width: of the mean's 95 % interval (Student's t over seeds); None with one seed.
        outcomes: runs that did not train, such as `2 collapsed`.
        reported: the literature's figure, at scales that reproduce it.
    """

    activation: str
    best: int
    worst: int
    figure: float
    half_width: float | None
    n: int
    outcomes: str
    test_loss: float
    epochs_to_stop: float
    seconds: float
    bytes_saved: int
    verdict: str
    reported: float | None

    @property
    def rank(self) -> str:
        return str(self.best) if self.best == self.worst else f"{self.best}–{self.worst}"

    @property
    def label(self) -> str:
        return activations.info(self.activation).label


@dataclass(frozen=True)
class Block:
    """The activations of one (experiment, model, dataset, optimizer, variant), best first.

    Attributes:
        case: of the first row; all but its activation holds for the block.
        data_label: what the data is called, an inexact copy by its name.
        metric, higher_is_better: what is ranked by.
        separated: pairs of positions in `rows` that the data tell apart.
    """

    case: Case
    scale: str
    data_label: str
    metric: str
    higher_is_better: bool
    rows: tuple[Row, ...]
    separated: frozenset[tuple[int, int]]

    @property
    def title(self) -> str:
        case = self.case
        fields = [case.experiment, case.model, self.data_label, case.optimizer, case.variant, self.scale]
        return " · ".join(dict.fromkeys(field for field in fields if field))  # `mlp · mlp` reads as a misprint

    @property
    def percent(self) -> bool:
        return self.metric.endswith(("accuracy", "f1"))

    @property
    def line(self) -> str:
        """`ELU(63.70) > LReLU(62.88) ~ ReLU(62.10)`: `>` where the data tell neighbours apart, else `~`."""
        scale = 100 if self.percent else 1
        words = [f"{row.label}({row.figure * scale:.{2 if self.percent else 4}f})" for row in self.rows]
        better = ">" if self.higher_is_better else "<"
        signs = [better if (place, place + 1) in self.separated else "~" for place in range(len(words) - 1)]
        return " ".join(word for pair in zip(words, [*signs, ""], strict=True) for word in pair).strip()

    @property
    def agreement_with_literature(self) -> str:
        """Spearman's rank correlation with the reported figures; empty with fewer than three of them."""
        pairs = [(row.figure, row.reported) for row in self.rows if row.reported is not None]
        if len(pairs) < 3:
            return ""
        ours, theirs = zip(*pairs, strict=True)
        return f"Spearman's rank correlation with the reported figures {_spearman(ours, theirs):+.2f} (n={len(pairs)})"


@dataclass(frozen=True)
class Overall:
    """Over the blocks that rank the same activations: mean ranks, best first, and Kendall's W."""

    mean_ranks: tuple[tuple[str, float], ...]
    kendalls_w: float
    blocks: int


def blocks(results: Iterable[Result], reported: Sequence[dict[str, str]] = ()) -> list[Block]:
    """The blocks of a session, in the order in which their first case was selected."""
    order: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        order.setdefault(result.case.block, []).append(result)
    return [_block(members, reported) for members in order.values()]


def overall(ranked: Sequence[Block]) -> list[Overall]:
    """Agreement between blocks, one entry a set of activations that at least two blocks share in full."""

    def members(block: Block) -> tuple[str, ...]:
        return tuple(sorted(row.activation for row in block.rows))

    found = []
    for names, group in groupby(sorted(ranked, key=members), key=members):
        shared = list(group)
        if len(shared) < 2 or len(names) < 3:
            continue
        figures = np.array([[_figure_of(block, name) for name in names] for block in shared])
        ranks = stats.rankdata(figures, axis=1)
        statistic = stats.friedmanchisquare(*figures.T).statistic
        w = float(statistic) / (len(shared) * (len(names) - 1))  # Kendall's W is Friedman's statistic, scaled
        means = sorted(zip(names, ranks.mean(axis=0), strict=True), key=lambda pair: pair[1])
        found.append(Overall(tuple((name, float(mean)) for name, mean in means), w, len(shared)))
    return found


def read_reported(folder: Path) -> list[dict[str, str]]:
    """The literature's figures, `reported.csv` of a baseline folder; an empty list where there is none."""
    path = folder / "reported.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _figure_of(block: Block, name: str) -> float:
    """Oriented so that smaller is better."""
    figure = next(row.figure for row in block.rows if row.activation == name)
    return -figure if block.higher_is_better else figure


def _block(members: Sequence[Result], reported: Sequence[dict[str, str]]) -> Block:
    recipe = members[0].records[0].recipe
    higher = bool(recipe["higher_is_better"])
    aggregate = statistics.median if recipe["aggregate"] == "median" else statistics.fmean

    def figure(result: Result) -> float:
        return float(aggregate([one.value for one in result.records]))

    # A figure that is not a number (every run diverged, ranked by a loss) goes last.
    ordered = sorted(members, key=lambda r: (math.isnan(figure(r)), -figure(r) if higher else figure(r)))
    separated = _separated([[one.value for one in result.records] for result in ordered])
    rows = []
    for place, result in enumerate(ordered):
        records = result.records
        better = sum((other, place) in separated for other in range(place))
        worse = sum((place, other) in separated for other in range(place + 1, len(ordered)))
        rows.append(
            Row(
                activation=result.case.activation,
                best=better + 1,
                worst=len(ordered) - worse,
                figure=figure(result),
                half_width=_half_width([one.value for one in records]),
                n=len(records),
                outcomes=_outcomes(records),
                test_loss=_mean([one.metrics["test_loss"] for one in records]),
                epochs_to_stop=_mean([one.metrics["epochs_to_stop"] for one in records]),
                seconds=_mean([one.seconds for one in records]),
                bytes_saved=records[0].bytes_saved,
                verdict=result.verdict,
                reported=_reported(result, reported),
            )
        )
    first = ordered[0].records[0]
    return Block(
        case=ordered[0].case,
        scale=first.scale,
        data_label=data.info(first.case.dataset).label_of(first.data_hash),
        metric=recipe["metric"],
        higher_is_better=higher,
        rows=tuple(rows),
        separated=separated,
    )


def _separated(samples: Sequence[Sequence[float]]) -> frozenset[tuple[int, int]]:
    """Pairs of samples, by position, that Games-Howell tells apart.

    Samples without any spread (all runs collapsed to one class) have no variance to compare by: two of them
    count as apart when they differ, which is what the procedure tends to.
    """
    if len(samples) < 2 or min(len(sample) for sample in samples) < 2:
        return frozenset()
    finite = [np.where(np.isfinite(sample), sample, np.nan) for sample in samples]  # scipy refuses inf, not NaN
    with np.errstate(all="ignore"):
        p = stats.tukey_hsd(*finite, equal_var=False).pvalue
    means = [np.mean(sample) for sample in samples]
    return frozenset(
        (i, j)
        for i in range(len(samples))
        for j in range(i + 1, len(samples))
        if p[i, j] < 1 - CONFIDENCE or (math.isnan(p[i, j]) and not np.array_equal(means[i], means[j], equal_nan=True))
    )


def _half_width(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    error = float(stats.sem(values))
    return error * float(stats.t.isf((1 - CONFIDENCE) / 2, len(values) - 1))


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return statistics.fmean(finite) if finite else math.nan


def _outcomes(records: Sequence[Record]) -> str:
    others = [record.outcome for record in records if record.outcome != "trained"]
    return ", ".join(f"{others.count(kind)} {kind}" for kind in sorted(set(others)))


def _reported(result: Result, reported: Sequence[dict[str, str]]) -> float | None:
    """The literature's figure for a case; only where the run reproduces it: `paper`, or `small` on all data."""
    first = result.records[0]
    if first.scale == "tiny" or first.recipe["train_size"] is not None:
        return None
    wanted = {**result.case.fields, "metric": first.recipe["metric"]}
    for row in reported:
        if all(row[column] == value for column, value in wanted.items()):
            return float(row["value"])
    return None


def _spearman(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return float(stats.spearmanr(ours, theirs).statistic)
