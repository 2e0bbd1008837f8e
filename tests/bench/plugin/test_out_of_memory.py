"""A run for which there is no memory is named, and loses nothing but itself."""

from __future__ import annotations

import weakref

import pytest
import torch

from bench.training import train
from written import records_in

ONE_CASE = ("-k", "elu and digits and sgd", "--seeds", "3", "--baseline=ignore")
CARD_IS_FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9.00 GiB.\nGPU 0 has 79.10 GiB")


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch):
    """Lets the runs of some seeds, or all first steps (None), end for want of memory."""

    def lack(error: Exception, *seeds: int | None) -> None:
        real = train.fit

        def fit(step, seed, parts, *of_a_run):  # first steps have no progress
            if (seed if of_a_run else None) in seeds:
                raise error
            return real(step, seed, parts, *of_a_run)

        monkeypatch.setattr(train, "fit", fit)

    return lack


def seeds_of(micro) -> list[int]:
    return sorted(one["seed"] for one in records_in(micro.path / "results"))


def test_it_loses_its_own_run_alone(micro, lacking):
    lacking(CARD_IS_FULL, 1)
    result = micro.runpytest_inprocess(*ONE_CASE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*1/1  micro-mlp-digits-elu-sgd  0.* (n=2, *",
            "*seed 1: out of memory*; use fewer workers (-n), *--resume*",
            "*not lost: micro-mlp-digits-elu-sgd  0.* (n=2, *",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    assert seeds_of(micro) == [0, 2]


def test_where_no_run_is_left_the_case_fails_by_name_and_the_others_go_on(micro, lacking):
    lacking(CARD_IS_FULL, 0, 1, 2)
    result = micro.runpytest_inprocess(*ONE_CASE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*micro-mlp-digits-elu-sgd: seed 0: out of memory: CUDA out of memory.*"])
    result.stdout.no_fnmatch_line("*fit(*")


def test_a_probe_without_memory_is_named_too(micro, lacking):
    lacking(CARD_IS_FULL, None)
    result = micro.runpytest_inprocess("-k", "elu and digits and sgd", "--probe")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*micro-mlp-digits-elu-sgd: its data and first steps: out of memory: CUDA out of memory.*"]
    )
    result.stdout.no_fnmatch_line("*fit(*")


def test_what_the_lost_run_held_is_free_before_the_next_begins(micro, monkeypatch):
    real, lost = train.fit, []

    def fit(step, seed, parts, *of_a_run):
        if lost or not of_a_run:
            assert all(held() is None for held in lost)
            return real(step, seed, parts, *of_a_run)
        lost.append(weakref.ref(step.network.net))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(train, "fit", fit)
    micro.runpytest_inprocess(*ONE_CASE).assert_outcomes(failed=1)
    assert len(lost) == 1
    assert seeds_of(micro) == [1, 2]


def test_what_is_recorded_is_of_the_runs_that_there_are(micro, lacking):
    lacking(CARD_IS_FULL, 1)
    options = ("-k", "elu and digits and sgd", "--seeds", "3", "--record", "--baseline-dir", "own")
    micro.runpytest_inprocess(*options).assert_outcomes(failed=1)
    (row,) = (micro.path / "own" / "measured").glob("*.csv")
    assert ",0 2," in row.read_text()
