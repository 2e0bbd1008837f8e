"""Variant: what an experiment sweeps beyond the axes. `Variant.parse("dropout0.5_lr0.01").settings["lr"]`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_WORD = re.compile(r"([a-z]+)(\d+(?:\.\d+)?)?")


@dataclass(frozen=True)
class Variant:
    """Words joined by `_`, each of which sets one thing.

    Attributes:
        words: as they are written, by what they set: `{"dropout": "dropout0.5", "lr": "lr0.01"}`.
        settings: their values, 1 for a word without a number: `{"dropout": 0.5, "lr": 0.01}`, `{"triangular": 1.0}`.
    """

    words: Mapping[str, str]
    settings: Mapping[str, float]

    @staticmethod
    def parse(text: str) -> Variant:
        """Read a variant; an empty text has no words.

        Raises:
            ValueError: a word that is no name with an optional decimal number behind it, or a second one of its name.
        """
        words: dict[str, str] = {}
        settings: dict[str, float] = {}
        for word in filter(None, text.split("_")):
            match = _WORD.fullmatch(word)
            if match is None:
                raise ValueError(f"variant {text!r}: {word!r} is not a name and a decimal number, such as lr0.01")
            if match[1] in words:
                raise ValueError(f"variant {text!r} sets {match[1]} twice")
            words[match[1]], settings[match[1]] = word, float(match[2] or 1)
        return Variant(MappingProxyType(words), MappingProxyType(settings))

    def __str__(self) -> str:
        return "_".join(self.words.values())

    def without(self, *names: str) -> Variant:
        """The rest, when some settings are left out."""
        return Variant.parse("_".join(word for name, word in self.words.items() if name not in names))
