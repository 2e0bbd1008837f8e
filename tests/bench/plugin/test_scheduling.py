"""Workers of a probing session: cases that share their first steps go to the same one."""

from __future__ import annotations

import pytest

pytest.importorskip("xdist")

from bench import experiments
from bench.plugin.scheduling import Alike


def scope_of(nodeid):
    return Alike.__new__(Alike)._split_scope(nodeid)


def nodes(experiment, scale):
    cases = experiments.find(experiment).cases(scale)
    return {f"bench/experiments/test_{experiment}.py::test_{experiment}[{case.id}]": case for case in cases}


@pytest.mark.parametrize("scale", ["tiny", "paper"])
def test_cases_that_differ_in_experiment_and_variant_alone_go_together(scale):
    found = nodes("schedules", scale) | nodes("corruption", scale) | nodes("complex", scale) | nodes("rates", scale)
    groups: dict[tuple[str, ...], set[str]] = {}
    for node, case in found.items():
        groups.setdefault((case.model, case.dataset, case.activation, case.optimizer), set()).add(scope_of(node))
    scopes = [scope for scopes in groups.values() for scope in scopes]
    assert len(set(scopes)) == len(scopes) == len(groups) < len(found)


def test_what_is_no_case_goes_by_itself():
    assert scope_of("tests/test_one.py::test_it") == "tests/test_one.py::test_it"
