"""Tests of activations._arguments: what a number and a choice allow, and how they say it."""

from __future__ import annotations

import pytest

from activations import Choice, Number


@pytest.mark.parametrize(
    ("argument", "taken", "refused", "limits"),
    [
        (
            Number(1.0),
            [0, -3.5, 1e30],
            ["1", None, True, float("nan"), float("inf"), 1e39, -(10**400)],
            "a finite number",
        ),
        (Number(1.0, above=0), [1e-9], [0, -1], "a finite number above 0"),
        (Number(0.5, least=0, below=2), [0, 1.9], [-0.1, 2], "a finite number at least 0 and below 2"),
        (Number(5, least=1, whole=True), [1, 7], [0, 1.0], "a whole number at least 1"),
        (Number(None), [None, 0.3], ["x"], "a finite number or None"),
        (Choice("none", "tanh"), ["none", "tanh"], ["Tanh", None], "one of 'none', 'tanh'"),
        (Choice(False, True), [True], [1, 0, "yes"], "one of False, True"),
    ],
    ids=str,
)
def test_an_argument_knows_what_it_allows(
    argument: Number | Choice, taken: list[object], refused: list[object], limits: str
) -> None:
    assert all(argument.allows(value) for value in [argument.default, *taken])
    assert not any(argument.allows(value) for value in refused)
    assert str(argument) == limits
