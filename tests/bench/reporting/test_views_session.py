"""The views that an experiment names follow the ranking of a session that runs it."""

from __future__ import annotations

from conftest import MICRO

RUN = ("-q", "-p", "no:cacheprovider", "--activation", "relu,elu", "--dataset", "digits", "--optimizer", "adam")


def shown_in(micro, *views):
    micro.makepyfile(test_micro=MICRO.replace('name="micro",', f'name="micro",\n    views={views!r},'))
    return micro


def test_the_tables_of_its_views_are_printed(micro):
    result = shown_in(micro, "curves").runpytest_inprocess(*RUN, "--baseline", "ignore", "--results-dir", "out")
    expected = ["*Games-Howell*", "micro · mlp · digits · adam · tiny", "*last validation loss*", "elu *"]
    result.stdout.fnmatch_lines(expected)


def test_an_experiment_without_views_has_its_ranking_alone(micro):
    result = micro.runpytest_inprocess(*RUN, "--baseline", "ignore", "--results-dir", "out")
    result.stdout.no_fnmatch_line("*last validation loss*")


def test_an_unknown_view_is_an_error_before_anything_is_trained(micro):
    result = shown_in(micro, "nose").runpytest_inprocess(*RUN, "--baseline", "ignore", "--results-dir", "out")
    result.stdout.fnmatch_lines(["*unknown view 'nose'; known: rates, *"])
    assert not (micro.path / "out" / "runs").exists()
