"""A user's own activation from a file of theirs: `load("my_file.py:my_act")`."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from activations._record import Accuracy, Activation

# What a formula of a few torch calls keeps, each of which rounds.
PLAIN = Accuracy(
    ulp=8.0, derivative_ulp=16.0, argument_ulp=2.0, absolute_eps=2.0, stepwise=True, reason="plain torch code"
)


def load(reference: str) -> Activation:
    """The record of a function or `nn.Module` class in a Python file; it is not registered yet.

    Args:
        reference: `path/to/file.py:name`. A function takes a tensor and returns one of its shape; a class is
            built without arguments, anew for every site; a module is copied. The file may import what lies
            beside it.

    Raises:
        ValueError: no such file or name, the file does not import, or the name is nothing that can be called.
    """
    file, _, name = reference.rpartition(":")
    path = Path(os.path.expanduser(file))
    if not path.is_file():
        raise ValueError(f"activation {reference!r}: there is no file {file!r}; write it as path/to/file.py:name")
    from activations._checked import Checked  # torch comes with it, as it does with the file

    try:
        module = import_file(path)
    except ValueError as error:
        raise ValueError(f"activation {reference!r}: {error}") from error.__cause__
    value: Any = getattr(module, name, None)
    if not callable(value):
        known = ", ".join(key for key, item in vars(module).items() if callable(item) and not key.startswith("_"))
        raise ValueError(f"activation {reference!r}: {file} defines no function or class {name!r}; it has: {known}")
    return Activation(
        name=name.lower(),
        label=name,
        family="user",
        module=functools.partial(Checked, value, reference),
        source=str(path),
        accuracy=PLAIN,
        code=hashlib.sha256(path.read_bytes()).hexdigest()[:12],
    )


def import_file(path: Path) -> ModuleType:
    """The module that a user's Python file is, imported anew; it may import what lies beside it.

    Raises:
        ValueError: it is no Python file, or does not import; the message says why, and in which line.
    """
    from activations._checked import described

    spec = importlib.util.spec_from_file_location(f"actbench_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{str(path)!r} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their annotations up
    folder = str(path.parent.resolve())
    if folder not in sys.path:
        sys.path.append(folder)  # last, so that nothing there stands in for a package
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # anything may go wrong in a user's file; it is named, not traced
        raise ValueError(f"{path} does not import: {described(error, f'{path}:')}") from error
    return module
