"""Guards of sensitivity: they are no cases of an experiment, and train at the scale that theirs are of."""

from __future__ import annotations

import pytest

GUARDS = "bench/checks/test_sensitivity.py"


@pytest.fixture
def collected(checkout):
    def run(*arguments: str) -> list[str]:
        found = checkout.runpytest_inprocess(*arguments, "--collect-only", "-q", "-p", "no:cacheprovider")
        return [line for line in found.outlines if "::" in line]

    return run


def test_the_option_of_an_experiment_selects_no_guard_of_it(collected):
    assert collected(GUARDS, "--experiment", "mlp") == []
    assert collected(GUARDS, "-k", "sensitivity and dead and mlp")


def test_nothing_is_trained_at_another_scale_than_that_of_its_case(checkout):
    found = checkout.runpytest_inprocess(
        *(f"{GUARDS}::test_sensitivity", "-k", "dead and mlp", "--scale", "small", "-rs", "-p", "no:cacheprovider")
    )
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines(["SKIPPED*trained at tiny alone*"])
