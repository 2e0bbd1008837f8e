"""A user's own activation from a file of theirs: `load("my_file.py:my_act")`."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator, Sequence
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
        code=code_beside(path),
    )


def files_beside(*paths: Path) -> list[Path]:
    """Some Python files and all that they import from beside them, and these in turn; in the order of their places."""
    found: dict[Path, Path] = {}
    waiting = [(path, path.parent) for path in paths]
    while waiting:
        path, folder = waiting.pop()
        if path.resolve() not in found:
            found[path.resolve()] = path
            waiting += [(one, folder) for one in _imported(path, folder)]
    return [path for _, path in sorted(found.items())]


def code_beside(*paths: Path) -> str:
    """A digest of `files_beside`."""
    found = (f"{path.name}{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files_beside(*paths))
    return hashlib.sha256("".join(found).encode(errors="surrogateescape")).hexdigest()[:12]


def _imported(path: Path, folder: Path) -> Iterator[Path]:
    """The files below a folder that a file imports, wherever in it and however: `import_module("name")` too."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):  # whoever imports it is told
        return
    for node in ast.walk(tree):
        start, names = folder, []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = path.parents[node.level - 1] if node.level else folder
            module = [node.module] if node.module else []
            names = [*module, *(".".join([*module, alias.name]) for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value.lstrip(".")]
        for name in names:
            yield from _modules(start, name.split("."))


def _modules(start: Path, parts: Sequence[str]) -> Iterator[Path]:
    """The files that importing a dotted name runs, as far as they are there: packages on the way, then the module."""
    if all(part.isidentifier() for part in parts):
        for depth in range(len(parts) + 1):
            place = start.joinpath(*parts[:depth])
            candidates = [place / "__init__.py", *([place.with_suffix(".py")] if depth else [])]
            yield from (one for one in candidates if one.is_file())


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
    cached = sys.dont_write_bytecode
    # Python takes a cached file for today's by its size and the second of its last change: one edited twice within a
    # second would run as it was, under the digest of what it is.
    sys.dont_write_bytecode = True
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # anything may go wrong in a user's file; it is named, not traced
        raise ValueError(f"{path} does not import: {described(error, f'{path}:')}") from error
    finally:
        sys.dont_write_bytecode = cached
    return module
