"""Where a user says that data and pretrained weights are: `Locations(data_dir=Path("DIR"))`."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Locations:
    """Paths given on the command line; None where nothing was given.

    Attributes:
        data_dir: data sets in the hub's layout, `DIR/ylecun/mnist/...`, or torchvision's, `DIR/MNIST/raw`.
        timit: a copy of TIMIT, the folder with `TRAIN` and `TEST`.
        text: a file of text, of which every byte is a character.
        vectors: word vectors as text, in the format of word2vec or GloVe.
        bert: a folder or a name of the hub with a pretrained BERT, in the place of the recipe's.
    """

    data_dir: Path | None = None
    timit: Path | None = None
    vectors: Path | None = None
    bert: str | None = None
    text: Path | None = None

    @property
    def options(self) -> list[str]:
        """As options of a command line."""
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        return [f"--{name.replace('_', '-')} {shlex.quote(str(path))}" for name, path in given if path]


def data_dir(given: Path | None) -> Path | None:
    """The folder given by `--data-dir`, or else by `ACTBENCH_DATA`; None without either."""
    environment = os.environ.get("ACTBENCH_DATA")
    return given or (Path(environment) if environment else None)
