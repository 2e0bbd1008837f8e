"""Recorded kernel ratios, one CSV row each, in `<baseline dir>/measured/kernels.<device class>.csv`.

rows = read_kernels(baseline_dir)
row_for(rows, key_on(kernel, device))
"""

from __future__ import annotations

import datetime
import math
import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote

from bench.records.baseline import KERNELS, MEASURED
from bench.records.csv_rows import BaselineError, csv_files, read_rows, write_rows
from bench.records.record import in_file_name
from bench.records.sharing import locked
from bench.timing.kernels.kernel import Kernel
from bench.timing.kernels.measurement import THREADS, Measurement, device_name, measure_kernel

if TYPE_CHECKING:
    import torch

# Separate measurements that a row is made of: what matters is the spread between them, not within one. For a
# hundred kernels, at the floor of the spread, five would leave a band of a factor 2.4, ten leave one of 1.4.
BLOCKS = 10

# (device class, activation, dtype, size, mode, device name, threads)
KernelKey: TypeAlias = tuple[str, str, str, str, str, str, int]


@dataclass(frozen=True, order=True)
class RecordedKernel:
    """What `--record` keeps of one kernel on one machine.

    Attributes:
        device_class: names the file; all others are columns.
        activation, dtype, size, mode: the kernel.
        device_name: the card, or the model of the CPU.
        torch: its version when recorded.
        threads: of the CPU.
        n: blocks, that is separate measurements.
        mean_log_ratio_relu: mean over the blocks of the natural logarithm of activation / relu.
        sd_log_ratio_relu: standard deviation of these.
        ratio_copy: geometric mean over the blocks of activation / copy.
        bytes_saved: kept for backward.
        date: of the recording, UTC, ISO 8601.
    """

    device_class: str
    activation: str
    dtype: str
    size: str
    mode: str
    device_name: str
    torch: str
    threads: int
    n: int
    mean_log_ratio_relu: float
    sd_log_ratio_relu: float
    ratio_copy: float
    bytes_saved: int
    date: str

    @property
    def key(self) -> KernelKey:
        """Rows of equal key replace each other."""
        return (
            *(self.device_class, self.activation, self.dtype, self.size, self.mode),
            *(self.device_name, self.threads),
        )


COLUMNS = tuple(field.name for field in fields(RecordedKernel) if field.name != "device_class")
_KINDS = {"int": int, "float": float, "str": str}


def key_on(kernel: Kernel, device: torch.device) -> KernelKey:
    """Of the row that a kernel is judged against on this machine."""
    from bench.training.fingerprint import device_class

    return (device_class(device), *astuple(kernel), device_name(device), THREADS)


def row_for(rows: Mapping[KernelKey, RecordedKernel], key: KernelKey) -> RecordedKernel | None:
    """The row of a kernel on this machine, else on another of its device class; None where there is none."""
    device_class, *kernel, _, _ = key
    elsewhere = (row for row in rows.values() if [*row.key[:-2]] == [device_class, *kernel])
    return rows.get(key) or next(elsewhere, None)


def record_kernel(kernel: Kernel, device: torch.device) -> tuple[Measurement, RecordedKernel]:
    """Measure a kernel in `BLOCKS` separate blocks; the last measurement and the row of all.

    Each block allocates anew: where tensors come to lie is part of what differs between sessions.
    """
    blocks = [measure_kernel(kernel, device) for _ in range(BLOCKS)]
    last = blocks[-1]
    logs = [math.log(block.ratio_relu) for block in blocks]
    return last, RecordedKernel(
        **asdict(kernel),
        device_class=last.device_class,
        device_name=last.device_name,
        torch=last.torch,
        threads=last.threads,
        n=len(blocks),
        mean_log_ratio_relu=round(statistics.mean(logs), 4),
        sd_log_ratio_relu=round(statistics.stdev(logs), 4),
        ratio_copy=round(statistics.geometric_mean(block.ratio_copy for block in blocks), 3),
        bytes_saved=last.bytes_saved,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )


def read_kernels(baseline_dir: Path) -> dict[KernelKey, RecordedKernel]:
    """The recorded rows of all device classes, by key; empty where nothing is recorded.

    Raises:
        BaselineError: a malformed row or header; the message names file and line.
    """
    found: dict[KernelKey, RecordedKernel] = {}
    for path in csv_files(baseline_dir / MEASURED):
        for where, row in _rows(path) if path.name.startswith(KERNELS) else ():
            if row.key in found:
                raise BaselineError(f"{where}: a second row for {row.activation} there; keep one")
            found[row.key] = row
    return found


def write_kernels(rows: Iterable[RecordedKernel], baseline_dir: Path) -> list[Path]:
    """Put rows in their place among those recorded before, sorted; the files written.

    Raises:
        ResultsError: the folder cannot be written.
        BaselineError: a malformed row in a file that is there.
    """
    new = {row.key: row for row in rows}
    if not new:
        return []
    paths = []
    with locked(baseline_dir):
        merged = sorted((read_kernels(baseline_dir) | new).values())
        for device_class in sorted({row.device_class for row in new.values()}):
            paths.append(baseline_dir / MEASURED / f"{KERNELS}{in_file_name(device_class)}.csv")
            write_rows(paths[-1], COLUMNS, (asdict(row) for row in merged if row.device_class == device_class))
    return paths


def _rows(path: Path) -> Iterator[tuple[str, RecordedKernel]]:
    device_class = unquote(path.name.removeprefix(KERNELS).removesuffix(".csv"))
    for where, values in read_rows(path, COLUMNS):
        try:
            yield where, _row(device_class, values)
        except ValueError as error:
            raise BaselineError(f"{where}: {error}; fix the line, or delete it and re-record") from error


def _row(device_class: str, values: Mapping[str, str]) -> RecordedKernel:
    kinds = {field.name: _KINDS[str(field.type)] for field in fields(RecordedKernel)}
    typed = {name: kinds[name](value) for name, value in values.items()}
    row = RecordedKernel(device_class, **typed)
    Kernel(row.activation, row.dtype, row.size, row.mode)  # raises where a value is unknown
    if row.n < 2 or not math.isfinite(row.mean_log_ratio_relu) or not 0 <= row.sd_log_ratio_relu < math.inf:
        raise ValueError("n must be 2 or more, the mean finite and the standard deviation 0 or more")
    return row
