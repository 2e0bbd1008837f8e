"""The commands that failures print: typed again, they run the same cases from the same places."""

from __future__ import annotations

import re
import shlex

from bench.cases.case import Case
from bench.session.commands import SHOWN_IDS, Commands

COMMANDS = Commands("small", ["--data-dir 'my data'"], {"mine": "my file.py:mine"})


def of(*activations: str) -> list[Case]:
    return [Case("cnn", "cnn", "mnist", name, "sgd") for name in activations]


def test_a_command_has_the_scale_and_the_places_of_its_session():
    expected = "pytest bench -k cnn-cnn-mnist-elu-sgd --scale small --data-dir 'my data'"
    assert COMMANDS.again(of("elu")) == expected


def test_an_activation_of_the_users_own_is_given_again_where_it_is_used():
    assert COMMANDS.needed(["elu"]) == ["--data-dir 'my data'"]
    assert COMMANDS.needed(["elu", "mine", "mine"]) == ["--activation 'my file.py:mine'", "--data-dir 'my data'"]
    assert "--activation 'my file.py:mine'" in COMMANDS.again(of("elu", "mine"))


def test_many_cases_are_selected_by_their_axes():
    names = ["relu", "elu", "gelu", "silu", "mish", "mine"]
    assert len(names) > SHOWN_IDS
    assert COMMANDS.again(of(*names)) == (
        "pytest bench --experiment cnn --model cnn --dataset mnist "
        "--activation elu,gelu,'my file.py:mine',mish,relu,silu --optimizer sgd --scale small --data-dir 'my data'"
    )


def test_typed_again_they_find_the_case_the_activation_and_the_baselines(micro):
    micro.makepyfile(own="def mine(x):\n    return x.relu() * 1.5\n")
    places = ["--baseline-dir", "own_baselines", "--device", "cpu", "--activation", "own.py:mine"]
    failing = micro.runpytest_inprocess("-k", "mine and digits and sgd", *places, "--baseline=require")
    failing.assert_outcomes(failed=1)
    said = dict(re.findall(r"^(reproduce|re-record): pytest bench (.*)$", failing.stdout.str(), re.MULTILINE))
    micro.runpytest_inprocess(*shlex.split(said["re-record"])).assert_outcomes(passed=1)
    assert list((micro.path / "own_baselines" / "measured").glob("*.csv"))
    again = micro.runpytest_inprocess(*shlex.split(said["reproduce"]), "--baseline=require")
    again.stdout.fnmatch_lines(["*1 case, 1 run: 1 SAME"])
