"""Tests of bench.cases.seeding: one stream for each seed and purpose, and global generators that are put back."""

from __future__ import annotations

import itertools

import pytest
import torch

from bench.cases import seeding

PURPOSES = ("weights", "batches", "activation parameters", "dropout")
STREAMS = list(itertools.product(range(20), PURPOSES))


def test_every_seed_and_purpose_has_a_seed_of_its_own() -> None:
    derived = [seeding.derive(*stream) for stream in STREAMS]
    assert len(set(derived)) == len(STREAMS)
    assert all(0 <= seed < 2**63 for seed in derived)


def test_streams_differ_by_seed_and_by_purpose() -> None:
    draws = {tuple(torch.rand(3, generator=seeding.generator(*stream)).tolist()) for stream in STREAMS}
    assert len(draws) == len(STREAMS)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_stream_repeats(purpose: str) -> None:
    one, other = (torch.rand(5, generator=seeding.generator(7, purpose)) for _ in range(2))
    assert torch.equal(one, other)


def test_a_generator_leaves_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    torch.rand(5, generator=seeding.generator(1, "weights"))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_global_stream_repeats_and_differs_by_seed_and_purpose() -> None:
    def draw(seed: int, purpose: str) -> tuple[float, ...]:
        with seeding.global_stream(seed, purpose):
            return tuple(torch.rand(3).tolist())

    assert draw(1, "dropout") == draw(1, "dropout")
    assert len({draw(*stream) for stream in STREAMS}) == len(STREAMS)


def test_the_global_stream_puts_the_global_generator_back() -> None:
    before = torch.get_rng_state()
    with seeding.global_stream(1, "dropout"):
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(RuntimeError), seeding.global_stream(1, "dropout"):
        torch.rand(3).reshape(2)  # draws, then fails
    assert torch.equal(torch.get_rng_state(), before)
