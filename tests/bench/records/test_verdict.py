"""The words that cases and kernels are judged by."""

import pytest

from bench.records.verdict import FAILING, VERDICTS, fails, worst


def test_what_fails_always_is_worse_than_what_fails_on_demand_and_that_worse_than_what_passes():
    severity = {"always": 0, "strict": 1, "require": 2, "never": 3}
    ranks = [severity[one.fails] for one in VERDICTS.values()]
    assert ranks == sorted(ranks)
    assert set(FAILING) == {"DIVERGED", "COLLAPSED", "REGRESSED", "CHANGED"}


@pytest.mark.parametrize("name", VERDICTS)
def test_strict_adds_the_unrecorded_changes_to_what_fails(name):
    assert fails(name) == (name in FAILING)
    assert fails(name, strict=True) == (name in (*FAILING, "MOVED", "IMPROVED"))
    assert fails(name, require=True) == (name in (*FAILING, "NEW"))


def test_what_fails_on_demand_is_worth_a_look_where_it_passes():
    assert {one.name for one in VERDICTS.values() if one.noted} == {"MOVED", "IMPROVED", "NEW"}


def test_the_worst_of_several_is_the_one_to_see_first():
    assert worst(["SAME", "MOVED", "REGRESSED", "NEW"]) == "REGRESSED"
    assert worst([]) == ""


def test_an_unknown_verdict_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'FINE'; known: DIVERGED, COLLAPSED"):
        fails("FINE")
