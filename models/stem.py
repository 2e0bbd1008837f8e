"""Stems: how a network begins, `stem="imagenet"` for large photographs or `stem="cifar"` for 28 and 32 pixels."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Stem: TypeAlias = Literal["imagenet", "cifar"]


def is_cifar(stem: Stem) -> bool:
    """Whether the network begins for small images.

    Raises:
        ValueError: unknown stem; the message lists the known ones.
    """
    if stem not in get_args(Stem):
        raise ValueError(f"unknown stem {stem!r}; known: {', '.join(get_args(Stem))}")
    return stem == "cifar"
