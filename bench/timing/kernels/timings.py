"""Kernel timings of a session, kept in its results folder: `timings.read(Path("results"))`.

One JSON line a kernel and machine; the next session of the same kernel replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.records import json_lines
from bench.records.record import write_text
from bench.timing.kernels import Kernel, Measurement

FILE = "timings.jsonl"


@dataclass(frozen=True)
class Timing:
    """One kernel timed by a session.

    Attributes:
        verdict: what was said of it; empty where nothing was judged.
    """

    measurement: Measurement
    verdict: str = ""

    @property
    def key(self) -> tuple[Any, ...]:
        """Timings of equal key replace each other."""
        one = self.measurement
        return (one.kernel, one.device_name, one.threads)


def latest(found: Iterable[Timing]) -> list[Timing]:
    """The last of each key."""
    return list({one.key: one for one in found}.values())


def write(found: Iterable[Timing], folder: Path) -> None:
    """Put the timings of a session in their place among those of a results folder.

    Raises:
        ResultsError: the file cannot be written, or what is there is not one of timings.
    """
    kept = sorted(latest([*read(folder), *found]), key=lambda one: one.key)
    write_text(folder / FILE, "".join(f"{json.dumps(asdict(one))}\n" for one in kept))


def read(folder: Path) -> list[Timing]:
    """The timings of a results folder; none where no session wrote any.

    Raises:
        ResultsError: a line is not a timing; the message names it.
    """
    return json_lines.read(folder / FILE, _parse, "timing")


def _parse(fields: dict[str, Any]) -> Timing:
    measured = fields["measurement"]
    return Timing(Measurement(**{**measured, "kernel": Kernel(**measured["kernel"])}), fields["verdict"])
