"""A user's own activation from a file of theirs: `load("my_file.py:my_act")`."""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from activations._record import Accuracy, Activation

if TYPE_CHECKING:
    from torch import nn

# What a formula of a few torch calls keeps, each of which rounds.
PLAIN = Accuracy(
    ulp=8.0, derivative_ulp=16.0, argument_ulp=2.0, absolute_eps=2.0, stepwise=True, reason="plain torch code"
)


def load(reference: str) -> Activation:
    """The record of a function or `nn.Module` class in a Python file; it is not registered yet.

    Args:
        reference: `path/to/file.py:name`. A function takes a tensor and returns one of its shape; a class is
            built without arguments, anew for every place of use.

    Raises:
        ValueError: no such file or name, the file does not import, or the name is neither function nor class.
    """
    file, _, name = reference.rpartition(":")
    path = Path(file).expanduser()
    if not path.is_file():
        raise ValueError(f"activation {reference!r}: there is no file {file!r}; write it as path/to/file.py:name")
    spec = importlib.util.spec_from_file_location(f"actbench_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"activation {reference!r}: {file!r} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # anything may go wrong in a user's file; it is named, not traced
        raise ValueError(f"activation {reference!r}: {file} does not import: {error!r}") from error
    value: Any = getattr(module, name, None)
    if not callable(value):
        known = ", ".join(key for key, item in vars(module).items() if callable(item) and not key.startswith("_"))
        raise ValueError(f"activation {reference!r}: {file} defines no function or class {name!r}; it has: {known}")
    factory = functools.partial(_checked, value, reference)
    return Activation(name=name.lower(), label=name, family="user", module=factory, source=str(path), accuracy=PLAIN)


def _checked(value: Callable[..., Any], reference: str) -> nn.Module:
    """A user's function, or a new instance of a user's class, that says so when it is no activation."""
    from torch import Tensor, nn

    class Checked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.function = _instance(value, reference) if isinstance(value, type) else value

        def forward(self, x: Tensor) -> Tensor:
            result = self.function(x)
            if not isinstance(result, Tensor) or result.shape != x.shape:
                got = f"shape {tuple(result.shape)}" if isinstance(result, Tensor) else type(result).__name__
                raise ValueError(
                    f"activation {reference!r} returned {got} for an input of shape {tuple(x.shape)}; "
                    "it must return a tensor of its input's shape"
                )
            return result

        def extra_repr(self) -> str:
            return reference

    return Checked()


def _instance(kind: type[Any], reference: str) -> Any:
    try:
        return kind()
    except TypeError as error:
        raise ValueError(
            f"activation {reference!r} is a class that cannot be built without arguments: {error}; give them defaults"
        ) from error
