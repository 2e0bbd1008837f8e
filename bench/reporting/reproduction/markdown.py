"""The page of all tables as Markdown: `markdown.render(tables, planned)`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tabulate import tabulate

from bench import data
from bench.cases.case import Case
from bench.cases.recipe import SCALES
from bench.display.tables import UNKNOWN, cell, heading, number, runs
from bench.records.case_runs import CaseRuns, grouped
from bench.reporting.reproduction import hours, orders
from bench.reporting.reproduction.orders import FEWEST_RUNS
from bench.reporting.reproduction.tables import AnsweredCell, ReportedTable

DOCUMENTS = {
    "000_a4fc070b01c658f7.txt": "Slides: which activation for which task?",
    "001_72408baea112c7d3.txt": "Hendrycks and Gimpel 2016: Gaussian Error Linear Units, arXiv 1606.08415",
    "002_da7b1468f2d12829.txt": "A survey of activation functions",
    "003_f59602624db1a428.txt": "Puniani 2020: TAct and mTAct, MATH 198",
}
LARGEST_FIRST = SCALES[::-1]
COMMAND = "python -m bench reproduce --to .github/REPRODUCTION.md"
HEAD = f"""# What the documents report, and what was measured here

Every number that the four documents report on networks, cell by cell beside the recorded runs. The page is computed
from `baselines/` by `{COMMAND}`; no cell is typed."""
AT_TINY = "At `tiny`: the answer to its recipe's question, not to the source's; orders may be compared, figures not."
LEGEND = f"""\
- **measured**: the mean over the runs ± its 95 % interval, or where the recipe asks for it the median with its
  interval in brackets, at the largest scale that has runs. `paper` is the source's recipe in full. `small` is what the
  experiment's recipe says, on all of the data or a part. **`tiny` answers its recipe's question, not the source's**: a
  thin network on little data, where an order may be compared and a figure may not.
- **on**: the scale, what stands for the source's data where it is not the original (*JPEG-75 copy*: the recorded
  CIFAR-10 is a copy that was packed as JPEG at quality 75), the rate where validation chose another than the recipe's
  first, and the card or the CPU.
- **same order?**: how many of the other cells of the metric the runs put on the side of this one where the document has
  them (*yes*), how many on the other (*no*), and how many they cannot tell from it (*tied*; differences seed by seed,
  5 % for all pairs of a metric after Holm, which three runs seldom reach). The document's figures are taken as printed:
  most are of one run and none has an interval.
- **Kendall's tau** is 1 for the document's order and -1 for the reverse, by the means and not by what is significant.
  Its interval is a bootstrap over the runs, left out with fewer than {FEWEST_RUNS}; p is how often rows in a random
  order agree or disagree as much, not corrected for the number of tables.
- **H100 hours** are what all cells of a table take at `paper` on one {hours.DEVICE}, by the model of
  `pytest bench --plan`: the runs of the recipe, at each rate that the document searched, nothing stopped early."""


def render(tables: Sequence[ReportedTable], planned: Mapping[Case, float]) -> str:
    """The page.

    Args:
        planned: hours of the cases at `paper`, see `hours.read`.
    """
    by_document = grouped(tables, lambda one: one.first.source)
    documents = {source: by_document.get(source, []) for source in dict.fromkeys([*DOCUMENTS, *by_document])}
    parts = [HEAD, _contents(documents, planned), "## How to read it", LEGEND]
    for source, found in documents.items():
        parts += [f"## {_document(source)}"]
        parts += [_table(one, planned) for one in found] or ["It reports no number of a network."]
    return "\n\n".join(parts) + "\n"


def summary(tables: Sequence[ReportedTable]) -> str:
    """`359 of 386 cells measured: 92 at small, 267 at tiny`."""
    total, measured = (
        sum(counts) for counts in zip(*((len(one.cells), one.measured()) for one in tables), strict=True)
    )
    scales = [(scale, sum(one.measured(scale) for one in tables)) for scale in LARGEST_FIRST]
    said = ", ".join(f"{count} at {scale}" for scale, count in scales if count)
    return f"{measured} of {total} cells measured: {said or 'none at any scale'}"


def _contents(documents: Mapping[str, Sequence[ReportedTable]], planned: Mapping[Case, float]) -> str:
    every = [one for tables in documents.values() for one in tables]
    lines = [["**all documents**", *_counts(every, planned, bold=True)]]
    for source, tables in documents.items():
        lines.append([f"**{_document(source)}**", *_counts(tables, planned, bold=True)])
        lines += [[f"[{one.title}](#{one.id})", *_counts([one], planned)] for one in tables]
    headers = ["table", "cells", "measured", *(f"`{scale}`" for scale in LARGEST_FIRST), "H100 hours"]
    body = tabulate(
        lines, headers, tablefmt="pipe", disable_numparse=True, colalign=("left", *["right"] * (len(headers) - 1))
    )
    return f"**{summary(every)}.**\n\n{body}"


def _counts(tables: Sequence[ReportedTable], planned: Mapping[Case, float], bold: bool = False) -> list[str]:
    counts = [sum(len(one.cells) for one in tables), sum(one.measured() for one in tables)]
    counts += [sum(one.measured(scale) for one in tables) for scale in LARGEST_FIRST]
    texts = [str(count) for count in counts[:2]] + [str(count or "") for count in counts[2:]]
    texts.append(_hours([one for one in tables if one.measured("paper") < len(one.cells)], planned))
    return [f"**{text}**" if bold and text else text for text in texts]


def _hours(tables: Iterable[ReportedTable], planned: Mapping[Case, float]) -> str:
    cases = {case for one in tables for case in one.cases}
    if not cases:
        return ""
    if not cases <= planned.keys():
        return UNKNOWN
    total = sum(planned[case] for case in sorted(cases))
    return f"{total:,.0f}" if total >= 10 else f"{total:.1g}" if total < 1 else f"{total:.2g}"


def _document(source: str) -> str:
    return DOCUMENTS.get(source, source)


def _table(table: ReportedTable, planned: Mapping[Case, float]) -> str:
    title = f'<a id="{table.id}"></a>\n\n### {table.title}'
    columns: dict[str, list[str]] = {
        "metric": [
            heading(metric) if not place else "" for metric, cells in table.by_metric for place in range(len(cells))
        ],
        "activation": [_name(one, table) for one in table.cells],
        "reported": [number(one.reported.value, one.metric) for one in table.cells],
    }
    if not table.measured():
        return "\n\n".join([title, _needed(table, planned), _columns(columns)])
    said = orders.orders_of(table)
    columns["measured"] = [_unbroken(cell(one.runs, one.metric)) if one.runs else UNKNOWN for one in table.cells]
    columns["runs"] = [runs(one.runs) if one.runs else "" for one in table.cells]
    columns["on"] = [_unbroken(_on(one.runs, one.reported.case)) if one.runs else "" for one in table.cells]
    columns["same order?"] = [_unbroken(said[one.reported]) for one in table.cells]
    notes = [*orders.correlations(table), *[AT_TINY] * bool(table.measured("tiny")), *_in_the_place_of(table)]
    return "\n\n".join([title, _columns(columns), "  \n".join(notes)]).rstrip()


def _in_the_place_of(table: ReportedTable) -> list[str]:
    """A note for each data set that stands for the document's beyond `tiny`, where all is another problem."""
    beyond = {
        (found.case.dataset, one.reported.case.dataset)
        for one in table.cells
        if (found := one.runs) and found.key.scale != "tiny"
    }
    return [
        f"On {data.info(used).label} in the place of {data.info(asked).label}: orders may be compared, figures not."
        for used, asked in sorted(beyond)
        if used != asked
    ]


def _needed(table: ReportedTable, planned: Mapping[Case, float]) -> str:
    found = _hours([table], planned)
    if found == UNKNOWN:
        return "Not measured: **needs a GPU**; `python -m bench reproduce --plan` counts how long."
    return f"Not measured: **needs a GPU: {found} hours** on one {hours.DEVICE}."


def _columns(columns: Mapping[str, Sequence[str]]) -> str:
    right = {"reported", "measured", "runs"}
    align = ["right" if name in right else "left" for name in columns]
    return tabulate(columns, headers="keys", tablefmt="pipe", disable_numparse=True, colalign=align)


def _unbroken(text: str) -> str:
    """Kept on one line where a column is narrow."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _name(one: AnsweredCell, table: ReportedTable) -> str:
    case = one.reported.case
    return case.activation if table.settings == case.variant else f"{case.activation}, {case.variant}"


def _on(found: CaseRuns, asked: Case) -> str:
    """`small, JPEG-75 copy, CPU`, `tiny, digits, lr0.0001, CPU`: what is not as the document has it."""
    label = data.info(asked.dataset).label
    stand_in = "" if found.data_label == label else found.data_label.removeprefix(label).strip(" ()")
    rate = found.case.variant if found.case.variant != asked.variant else ""
    device = "CPU" if found.key.device_class == "cpu" else found.key.device_class
    return ", ".join(filter(None, (found.key.scale, stand_in, rate, device)))
