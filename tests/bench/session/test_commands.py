"""The commands that failures print: typed again, they run the same cases from the same places."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest

from bench import experiments
from bench.cases.case import Case
from bench.plugin.state import STATE
from bench.records import baseline
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


def test_a_verdict_is_reproduced_with_the_options_that_it_depends_on():
    commands = Commands("small", ["--device cpu"], judging=["--baseline=require", "--strict"], start="pytest mine")
    expected = "pytest mine -k cnn-cnn-mnist-elu-sgd --scale small --device cpu --seeds 3 --baseline=require --strict"
    assert commands.judged(of("elu"), "--seeds 3") == expected


def test_what_changes_the_bits_of_a_session_is_given_again(micro):
    settings = micro.parseconfigure("--device", "cuda", "--graph").stash[STATE].settings
    assert settings.commands.options[-2:] == ["--device cuda", "--graph"]


def test_folders_are_compared_with_the_files_of_ones_own_experiments(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(experiments, "_FILES", {"spirals": tmp_path / "my spirals" / "test_spirals.py"})
    own = Case("spirals", "mlp", "digits", "elu", "sgd")
    assert COMMANDS.compare(of("elu")) == "python -m bench compare before after"
    assert COMMANDS.compare([own, *of("elu"), own]) == (
        "python -m bench compare before after --load 'my spirals/test_spirals.py'"
    )


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
    said = dict(re.findall(r"^(reproduce|re-record): pytest (.*)$", failing.stdout.str(), re.MULTILINE))
    micro.runpytest_inprocess(*shlex.split(said["re-record"])).assert_outcomes(passed=1)
    assert list((micro.path / "own_baselines" / "measured").glob("*.csv"))
    again = micro.runpytest_inprocess(*shlex.split(said["reproduce"]))
    again.stdout.fnmatch_lines(["*1 case, 1 run: 1 SAME"])


JUDGING = {
    "--baseline=require": ["--baseline=require"],
    "--strict": ["--baseline=require", "--strict"],
    "--confirm 0": ["--baseline=require", "--confirm", "0"],
    "--shard 1/1": ["--baseline=require", "--shard", "1/1"],
    "--data-dir .*": ["--baseline=require", "--data-dir", "."],
    "--probe": ["--baseline=require", "--probe"],
}


@pytest.mark.parametrize(("printed", "options"), JUDGING.items())
def test_typed_again_the_verdict_is_the_same(micro, printed, options):
    failing = micro.runpytest_inprocess("-k", "digits and elu and sgd", "--baseline-dir", "own_baselines", *options)
    failing.assert_outcomes(failed=1)
    (said,) = re.findall(r"^reproduce: pytest (.*)$", failing.stdout.str(), re.MULTILINE)
    assert re.search(printed, said)
    again = micro.runpytest_inprocess(*shlex.split(said))
    again.assert_outcomes(failed=1)
    assert said in again.stdout.str()


def test_an_improvement_that_fails_as_strict_fails_again(micro):
    recorded = ["-k", "digits and gelu and adam", "--baseline-dir", "own_baselines", "--seeds", "3"]
    micro.runpytest_inprocess(*recorded, "--record").assert_outcomes(passed=1)
    (old,) = baseline.read(micro.path / "own_baselines").values()
    values = tuple(value / 4 for value in old.runs.values)
    baseline.write([replace(old, runs=replace(old.runs, values=values))], micro.path / "own_baselines")
    failing = micro.runpytest_inprocess(*recorded, "--strict", "--confirm", "0")
    failing.stdout.fnmatch_lines(["*IMPROVED*"])
    (said,) = re.findall(r"^reproduce: pytest (.*)$", failing.stdout.str(), re.MULTILINE)
    micro.runpytest_inprocess(*shlex.split(said)).assert_outcomes(failed=1)


@pytest.mark.parametrize("typed", [[], ["test_micro.py"], [".", "-p", "bench.plugin"]])
def test_what_is_printed_starts_as_the_session_was_started(micro, typed):
    chosen = ["-k", "digits and elu and sgd", "--baseline-dir", "own_baselines", "--baseline=require"]
    failing = micro.runpytest_inprocess(*typed, *chosen)
    start = shlex.join(["pytest", *typed, "-k", "micro-mlp-digits-elu-sgd"])
    assert f"reproduce: {start}" in failing.stdout.str()
