"""A data set of a user's own, made by a function of theirs: `own.checked(record, make)` is what it made, if it fits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bench.data._registry import DatasetInfo
from bench.data.errors import DataError

DTYPES = {
    **dict.fromkeys(("images", "text"), torch.uint8),
    **dict.fromkeys(("frames", "features"), torch.float32),
    "sentences": torch.int64,
}
TOKENS = (torch.int64, torch.float32)  # ids, or vectors in their place


def checked(record: DatasetInfo, make: Callable[[], Any]) -> dict[str, Tensor]:
    """The tensors of a data set, contiguous, once all of them are what its record says.

    Raises:
        DataError: the function fails, or what it made does not fit the record; the message names the tensor, what it
            is and what it has to be.
    """

    def refused(what: str) -> DataError:
        return DataError(f"dataset {record.name!r}, made by {getattr(make, '__qualname__', make)}: {what}")

    try:
        made = make()
    except Exception as error:  # anything may go wrong in a user's function; it is named, not traced
        raise refused(f"{type(error).__name__}: {error}") from error
    kind, parts = record.kind, [("train", record.rows[0]), ("test", record.rows[1])]
    if record.validation_rows:
        parts.append(("validation", record.validation_rows))
    wanted = {f"{part}_{held}": rows for part, rows in parts for held in (kind, "labels")}
    if not isinstance(made, dict) or made.keys() != wanted.keys():
        found = ", ".join(map(str, made)) if isinstance(made, dict) else type(made).__name__
        raise refused(f"it returned {found or 'an empty dict'}, not a dict of {', '.join(wanted)}")
    for name, rows in wanted.items():
        tensor = made[name]
        if not isinstance(tensor, Tensor):
            raise refused(f"{name} is a {type(tensor).__name__}, not a tensor")
        labels = name.endswith("_labels")
        everywhere = kind == "text" or not (labels or kind == "sentences")
        shape = (rows, *record.shape) if everywhere else (rows,)
        size = tuple(tensor.shape[:1] if kind == "sentences" and not labels else tensor.shape)
        dtypes = (torch.int64,) if labels and kind != "text" else TOKENS if kind == "tokens" else (DTYPES[kind],)
        if size != shape:
            raise refused(f"{name} is of shape {tuple(tensor.shape)}, its record says {shape}")
        if tensor.dtype not in dtypes:
            raise refused(f"{name} is {tensor.dtype}, not {' or '.join(map(str, dtypes))}")
        if (labels or kind == "text") and not 0 <= tensor.min() <= tensor.max() < record.num_classes:
            raise refused(f"{name} go from {tensor.min()} to {tensor.max()}, not from 0 to {record.num_classes - 1}")
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise refused(f"{name} holds values that are not finite")
    return {name: tensor.contiguous() for name, tensor in made.items()}
