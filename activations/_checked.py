"""A user's own activation as a module that says where and on what it fails: `Checked(my_act, "my_file.py:my_act")`."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class Checked(nn.Module):
    """What a user's file defines, at one site.

    Args:
        given: a function, which is called; a class, which is built without arguments; or a module, which is copied.
        reference: `path/to/file.py:name`, for the errors.

    Raises:
        ValueError: a class cannot be built, or makes nothing that can be called; later, on the first call: it fails,
            or does not return a tensor of its input's shape, in training also of its dtype.
    """

    def __init__(self, given: Callable[..., Any], reference: str) -> None:
        super().__init__()
        self.reference = reference
        self.function = _instance(given, reference)

    def forward(self, x: Tensor) -> Tensor:
        try:
            result = self.function(x)
        except Exception as error:  # anything may go wrong in a user's code; it is named, not traced
            raise ValueError(
                f"activation {self.reference!r} fails for an input of shape {tuple(x.shape)} and {x.dtype}: "
                f"{described(error, self.reference)}"
            ) from error
        if not isinstance(result, Tensor) or result.shape != x.shape:
            got = f"shape {tuple(result.shape)}" if isinstance(result, Tensor) else type(result).__name__
            raise ValueError(
                f"activation {self.reference!r} returned {got} for an input of shape {tuple(x.shape)}; "
                "it must return a tensor of its input's shape"
            )
        # In evaluation the contract looks at it, which measures what else is wrong.
        if self.training and result.dtype != x.dtype and not (result.is_floating_point() and _is_autocast(x)):
            raise ValueError(
                f"activation {self.reference!r} returned {result.dtype} for an input of {x.dtype}, which no layer "
                "behind it takes; it must return its input's dtype, as by `.to(x.dtype)`"
            )
        return result

    def extra_repr(self) -> str:
        return self.reference


def _is_autocast(x: Tensor) -> bool:
    """Whether torch itself casts what is computed there, and what layers take."""
    device = x.device.type
    return torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)


def described(error: BaseException, reference: str) -> str:
    """What went wrong, and the line of a user's file where it did: `NameError: name 'y' is not defined, line 7`."""
    file = Path(reference.rpartition(":")[0]).name
    frames = [one for one in traceback.extract_tb(error.__traceback__) if Path(one.filename).name == file]
    return f"{type(error).__name__}: {error}" + (f", line {frames[-1].lineno}" if frames else "")


def _instance(given: Callable[..., Any], reference: str) -> Any:
    if isinstance(given, nn.Module):
        return copy.deepcopy(given)
    if not isinstance(given, type):
        return given
    try:
        made = given()
    except TypeError as error:
        raise ValueError(
            f"activation {reference!r} is a class that cannot be built without arguments: {error}; give them defaults"
        ) from error
    except Exception as error:  # as above
        raise ValueError(
            f"activation {reference!r} is a class that cannot be built: {described(error, reference)}"
        ) from error
    if not callable(made):
        raise ValueError(f"activation {reference!r} is a class whose instances cannot be called; make it an nn.Module")
    return made
