"""Kernel timings of a session, kept in its results folder: `timings.read(Path("results"))`.

One JSON line a kernel and machine; the next session of the same kernel replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import json_lines
from bench.record import write_text

if TYPE_CHECKING:
    from bench.kernels import Measurement
    from bench.kernels import Verdict as Judged

FILE = "timings.jsonl"


@dataclass(frozen=True)
class Timing:
    """One kernel timed by a session; the fields are those of `kernels.Measurement`.

    Attributes:
        verdict: what was said of it; empty where nothing was judged.
    """

    activation: str
    dtype: str
    size: str
    mode: str
    device_name: str
    torch: str
    threads: int
    n: int
    seconds: float
    ratio_relu: float
    sd_log_ratio_relu: float
    ratio_copy: float
    bytes_saved: int
    verdict: str

    @property
    def key(self) -> tuple[Any, ...]:
        """Timings of equal key replace each other."""
        return (self.activation, self.dtype, self.size, self.mode, self.device_name, self.threads)


def of(measurement: Measurement, judged: Judged | None) -> Timing:
    """What is kept of a timing."""
    fields = asdict(measurement)
    own = {name: fields[name] for name in Timing.__dataclass_fields__ if name in fields}
    return Timing(**fields["kernel"], **own, verdict=judged.name if judged else "")


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
    return json_lines.read(folder / FILE, lambda fields: Timing(**fields), "timing")
