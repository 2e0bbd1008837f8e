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


def test_the_global_stream_draws_what_torch_draws_from_its_seed() -> None:
    with seeding.global_stream(1, "dropout"):
        drawn = torch.rand(5)
    with torch.random.fork_rng([]):
        torch.manual_seed(seeding.derive(1, "dropout"))
        assert torch.equal(torch.rand(5), drawn)


def test_an_accelerator_that_is_there_draws_from_the_global_stream_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "manual_seed", seeded.append)
    with seeding.global_stream(1, "dropout"):
        assert seeded == [seeding.derive(1, "dropout")]


@pytest.mark.gpu
def test_a_card_draws_from_the_global_stream_and_is_put_back() -> None:
    before = torch.rand(3, device="cuda"), torch.cuda.get_rng_state()
    draws = []
    for _ in range(2):
        with seeding.global_stream(1, "dropout"):
            draws.append(torch.rand(5, device="cuda"))
    assert torch.equal(*draws)
    assert not torch.equal(draws[0][:3], before[0])
    assert torch.equal(torch.cuda.get_rng_state(), before[1])
