"""`--tensorboard DIR`: the curves of every run, and its recipe beside its metrics. `tensorboard.write(records, DIR)`.

A run is the folder `<case id>/<scale>/seed<N>`; its curves are scalars by epoch, its final metrics are `final/<name>`.
A run that is made again replaces its folder's events; the others stay, so that a folder may serve many sessions.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench.records.record import Record, ResultsError
from bench.records.sharing import locked


def require() -> None:
    """Raises ValueError where the package is not installed, with the command that installs it."""
    if importlib.util.find_spec("tensorboard") is None:
        raise ValueError('--tensorboard needs the package of that name: pip install -e ".[tensorboard]"')


def write(records: Iterable[Record], folder: Path) -> None:
    """Write one event file a run.

    Raises:
        ResultsError: the folder cannot be written.
    """
    try:
        with locked(folder):
            for one in records:
                _write(one, folder / one.case.id / one.scale / f"seed{one.seed}")
    except OSError as error:
        raise ResultsError(
            f"cannot write {folder}: {error.strerror}; make room there or give another folder"
        ) from error


def _write(one: Record, folder: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter

    for old in folder.glob("events.out.tfevents.*"):  # a second file would be drawn over the first
        old.unlink()
    metrics = {f"final/{name}": value for name, value in one.metrics.items()}
    with SummaryWriter(str(folder)) as writer:
        for name, values in one.curves.items():
            for epoch, value in enumerate(values, start=1):
                writer.add_scalar(name, value, epoch)
        writer.add_hparams(_hparams(one), metrics, run_name=".")  # unless named, a folder of its own


def _hparams(one: Record) -> dict[str, Any]:
    """The axes, the seed and the recipe; of the plugin's types (bool, number, text), None left out."""
    settings = {**one.case.fields, "scale": one.scale, "seed": one.seed, **one.recipe}
    plain = {name: value for name, value in settings.items() if value is not None}
    return {name: value if isinstance(value, bool | int | float | str) else str(value) for name, value in plain.items()}
