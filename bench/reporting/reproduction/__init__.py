"""Every number of the documents beside what was measured here, cell by cell. `python -m bench reproduce`.

tables        what the documents report, and the runs that answer each cell
orders        whether the runs order the cells of a table as the document does
hours         what the tables would take at `paper` on a GPU, counted once and kept in `planned.csv`
markdown      the page

Nothing is trained here, and no cell is typed. Importing this package does not load torch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.records import case_runs, reported
from bench.records.record import write_text
from bench.reporting.reproduction import hours, markdown, tables
from bench.reporting.reproduction.tables import ReportedTable


def tables_of(baseline_dir: Path) -> list[ReportedTable]:
    """Those of the documents, answered by the recorded baselines.

    Raises:
        ValueError: nothing is reported there, or a row is malformed; the message names the file.
    """
    cells = reported.cells(baseline_dir)
    if not cells:
        raise ValueError(f"no number of a case in {baseline_dir / 'reported.csv'}; give another --baseline-dir")
    return tables.reported_tables(cells, case_runs.recorded_runs(baseline_dir)[0])


def page(baseline_dir: Path) -> tuple[str, str]:
    """The page as Markdown, and its first line in words.

    Raises:
        ValueError: as `tables_of`, or of `planned.csv`.
    """
    found = tables_of(baseline_dir)
    return markdown.render(found, hours.read(baseline_dir)), markdown.summary(found)


def plan(baseline_dir: Path, show: Callable[[str], None]) -> Path:
    """Count what all tables would take, into the baseline folder; the file.

    Raises:
        ValueError: as `tables_of`, or a network that cannot be built.
        ResultsError: the folder cannot be written.
    """
    return hours.write(sorted({case for one in tables_of(baseline_dir) for case in one.cases}), baseline_dir, show)


def reproduce(baseline_dir: Path, file: Path | None, counting: bool, show: Callable[[str], None]) -> str:
    """The page, or where it was written; with the hours counted anew, of which `show` takes a line each, if asked for.

    Raises:
        ValueError, ResultsError: as `page` and `plan`, or the file cannot be written.
    """
    if counting:
        show(f"wrote {plan(baseline_dir, show)}")
    text, said = page(baseline_dir)
    if file is None:
        return text.rstrip()
    write_text(file, text)
    return f"wrote {file}: {said}"
