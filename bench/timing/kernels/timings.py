"""What sessions found of kernels, kept in their results folder: `read_timings(Path("results"))`.

One JSON line a kernel and machine; the next session of the same kernel replaces it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.records import conform, json_lines, verdict
from bench.records.record import write_text
from bench.records.sharing import locked
from bench.timing.kernels.kernel import Kernel
from bench.timing.kernels.measurement import Measurement
from bench.timing.kernels.recorded import RecordedKernel

FILE = "timings.jsonl"


@dataclass(frozen=True)
class TimedKernel:
    """One kernel timed by a session.

    Attributes:
        verdict: what was said of it, a word as of a case.
        message: the figures, the band, and the commands to reproduce and to re-record.
        recorded: the row that it was judged against, or that was made of it; None where there is none, and where the
            timing was read from a file, which keeps `measurement` and `verdict` alone.
    """

    measurement: Measurement
    verdict: str
    message: str = ""
    recorded: RecordedKernel | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """Timings of equal key replace each other."""
        one = self.measurement
        return (one.device_class, one.kernel, one.device_name, one.threads)

    @property
    def line(self) -> str:
        """`elu-float32-cache-forward  2.00 x relu ±3%  WITHIN`: one line for the terminal."""
        one = self.measurement
        return f"{one.kernel.id}  {one.ratio_relu:.2f} x relu ±{one.sd_log_ratio_relu:.0%}  {self.verdict}"


def latest_timings(found: Iterable[TimedKernel]) -> list[TimedKernel]:
    """The last of each key."""
    return list({one.key: one for one in found}.values())


def write_timings(found: Iterable[TimedKernel], folder: Path) -> None:
    """Put the timings of a session in their place among those of a results folder.

    Raises:
        ResultsError: the file cannot be written, or what is there is not one of timings.
    """
    with locked(folder):
        kept = sorted(latest_timings([*read_timings(folder), *found]), key=lambda one: one.key)
        lines = [json.dumps({"measurement": asdict(one.measurement), "verdict": one.verdict}) for one in kept]
        write_text(folder / FILE, "".join(f"{line}\n" for line in lines))


def read_timings(folder: Path) -> list[TimedKernel]:
    """The timings of a results folder; none where no session wrote any.

    Raises:
        ResultsError: a line is not a timing; the message names it.
    """
    return json_lines.read(folder / FILE, _parse, "timing")


def _parse(fields: dict[str, Any]) -> TimedKernel:
    measured = fields["measurement"]
    found = TimedKernel(Measurement(**{**measured, "kernel": Kernel(**measured["kernel"])}), fields["verdict"])
    conform.check_types(found)
    verdict.info(found.verdict)
    return found
