"""What is timed: kernels, and epochs of the training loop, chosen as by `-k`. `items.select("apl and cache")`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from _pytest.mark.expression import Expression  # as of -k

import activations
from bench.session import selection
from bench.timing.kernels.kernel import ACTIVATIONS, Kernel, catalogue

USUAL = "(float32 and cache and forward_backward) or epoch"


@dataclass(frozen=True)
class TimedEpoch:
    """A short epoch of PyTorch's tutorial CNN with an activation, by the suite's training loop, on made images."""

    activation: str
    loop: str = "epoch"

    @property
    def id(self) -> str:
        return f"{self.loop}-cnn-{self.activation}"


def select(expression: str) -> Sequence[Kernel | TimedEpoch]:
    """Those that an expression selects; words select exactly, as of `pytest bench -k`.

    There are kernels and epochs of the activations with recorded ratios, and of others that the expression names.

    Raises:
        ValueError: it is none, or selects nothing.
    """
    words = selection.exact_words(expression, [], [])
    named = [name for name in activations.names() if words.intersection((name, *activations.info(name).aliases))]
    names = dict.fromkeys((*ACTIVATIONS, *named))
    items: list[Kernel | TimedEpoch] = [*catalogue(named), *map(TimedEpoch, names)]
    try:
        wanted = Expression.compile(selection.exact(expression, selection.exact_words(expression, items, [])))
    except SyntaxError as error:
        raise ValueError(f"-k {expression}: {error.msg}; words are joined by and, or, not") from error

    def selected(item: Kernel | TimedEpoch) -> bool:
        known = {item.id, *selection.keywords_of(item)}
        return wanted.evaluate(lambda word, /, **_: any(word.lower() in name for name in known))

    found = list(filter(selected, items))
    if not found:
        raise ValueError(f"-k {expression} selects none of {len(items)}, such as {items[0].id} and {items[-1].id}")
    return found
