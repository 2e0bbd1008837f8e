"""Conform: whether what was read from a file is of the types that it declares. `conform.check_types(record)`.

Files come from other versions, other hands and full disks. What is odd in one is named where it is read, and not by a
traceback from the middle of a table.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def check_types(made: Any) -> None:
    """That every field of a dataclass holds what it says, and so on inside.

    Raises:
        ValueError: the first that does not; the message names it, what it holds, and what it should.
    """
    declaring: Any = type(made)
    for name, kind in _declared(declaring).items():
        value = getattr(made, name)
        if is_dataclass(kind) and is_dataclass(value):
            check_types(value)
        elif not _fits(value, kind):
            wanted = kind.__name__ if isinstance(kind, type) and not get_origin(kind) else str(kind)
            raise ValueError(f"{name} is {reprlib.repr(value)} and not {wanted.replace('typing.', '')}")


@cache
def _declared(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _fits(value: object, kind: Any) -> bool:
    if type(value) is kind or kind is Any:  # the most by far, and get_origin is slow
        return True
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value in inside
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in inside)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(one, inside[1]) for one in value.values())
    if origin is list or (origin is tuple and inside[1:] == (...,)):
        return isinstance(value, origin) and all(_fits(one, inside[0]) for one in value)
    if origin is tuple:
        return isinstance(value, tuple) and len(value) == len(inside) and all(map(_fits, value, inside))
    if isinstance(value, bool):  # to Python a kind of int
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)
