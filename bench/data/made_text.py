"""A text of which it is known how well it can be predicted: `made_text.made_source().floor(16)` is in bits a character.

Every letter is drawn from a distribution that the pair of letters before it picks out: a Markov chain of order 2 with
transitions drawn once. What is to be learned is a table of pairs, which neither of the two letters gives alone: one
letter tells next to nothing, and a network without an activation in its feed-forward layers learns little of the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy.random import RandomState  # its streams stay the same in all versions of numpy, unlike default_rng's
from torch import Tensor

if TYPE_CHECKING:
    from bench.data._registry import DatasetInfo
    from bench.data.locations import Locations

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

SEED = 0
LETTERS = 16
# Of the Dirichlet distribution that the distributions behind pairs are drawn from: about five likely letters of 16.
CONCENTRATION = 0.2


@dataclass(frozen=True)
class Source:
    """A Markov chain of order 2.

    Attributes:
        transitions: probability of each letter behind each pair: letters x letters x letters.
        pairs: that of each pair in a long text: letters x letters.
    """

    transitions: Array
    pairs: Array

    @property
    def entropies(self) -> tuple[float, float, float]:
        """Bits of a letter by itself, behind one known letter, and behind two, by the exact distributions."""
        letters = self.pairs.sum(1)
        by_two = (self.pairs * _bits(self.transitions)).sum()
        return _bits(letters).item(), (_bits(self.pairs.ravel()) - _bits(letters)).item(), by_two.item()

    def floor(self, characters: int) -> float:
        """Bits a character that no network can go below, in rows of so many: at the first it sees one letter alone."""
        _, by_one, by_two = self.entropies
        return (by_one + (characters - 1) * by_two) / characters

    def rows(self, rows: int, letters: int, random: RandomState) -> Tensor:
        """Rows of letters (uint8, rows x letters), each drawn by itself as out of the midst of a long text."""
        first = np.searchsorted(self.pairs.cumsum(), random.random_sample(rows)).clip(max=LETTERS**2 - 1)
        drawn = [*np.divmod(first, LETTERS)]
        reached = self.transitions.cumsum(2)[:, :, :-1]
        for chance in random.random_sample((letters - 2, rows)):
            drawn.append((chance[:, None] > reached[drawn[-2], drawn[-1]]).sum(1))
        return torch.from_numpy(np.stack(drawn, 1).astype(np.uint8))


@cache
def made_source() -> Source:
    """The one that the suite's text is from."""
    drawn = RandomState(SEED).gamma(CONCENTRATION, size=(LETTERS,) * 3)
    transitions = drawn / drawn.sum(2, keepdims=True)
    to_pairs = np.einsum("abc,bd->abdc", transitions, np.eye(LETTERS)).reshape(LETTERS**2, LETTERS**2)
    stays = np.vstack([to_pairs.T - np.eye(LETTERS**2), np.ones(LETTERS**2)])
    pairs = np.linalg.lstsq(stays, np.append(np.zeros(LETTERS**2), 1.0))[0]
    return Source(transitions, pairs.reshape(LETTERS, LETTERS))


def read(info: DatasetInfo, where: Locations) -> dict[str, Tensor]:
    """Letters and those behind them (uint8, N x letters) as `{train,validation,test}_{text,labels}`."""
    random = RandomState(SEED + 1)
    found = {}
    for part, rows in zip(
        ("train", "validation", "test"), (info.rows[0], info.validation_rows, info.rows[1]), strict=True
    ):
        drawn = made_source().rows(rows, info.shape[0] + 1, random)
        found[f"{part}_text"], found[f"{part}_labels"] = drawn[:, :-1].contiguous(), drawn[:, 1:].contiguous()
    return found


def stamp(info: DatasetInfo, where: Locations) -> None:
    """It is made faster than it is loaded."""


def _bits(probabilities: Array) -> Array:
    """The entropy along the last dimension."""
    bits: Array = -(probabilities * np.log2(np.where(probabilities > 0, probabilities, 1))).sum(-1)
    return bits
