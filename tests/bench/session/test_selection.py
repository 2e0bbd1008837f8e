"""Exact selection: what `-k`, `-m` and the axis options choose."""

from __future__ import annotations

import pytest

from bench.cases.case import Case
from bench.plugin.state import STATE
from bench.session import selection

CASE = Case("cnn", "cnn", "cifar10", "leaky_relu", "sgd", "lr0.01")

# (arguments, activations chosen, datasets chosen, optimizers chosen) out of the micro experiment
EXPRESSIONS = [
    (["-k", "elu"], {"elu"}, {"digits", "mnist"}, {"sgd", "adam"}),
    (["-k", "relu"], {"relu"}, {"digits", "mnist"}, {"sgd", "adam"}),
    (["-k", "ELU and digits"], {"elu"}, {"digits"}, {"sgd", "adam"}),
    (["-k", "digit and elu"], {"elu"}, {"digits"}, {"sgd", "adam"}),
    (["-k", "elu or gelu"], {"elu", "gelu"}, {"digits", "mnist"}, {"sgd", "adam"}),
    (["-k", "digits and not (elu or relu)"], {"leaky_relu", "selu", "gelu", "silu"}, {"digits"}, {"sgd", "adam"}),
    (["-k", "(elu or selu) and adam and mnist"], {"elu", "selu"}, {"mnist"}, {"adam"}),
    (["-k", "lrelu"], {"leaky_relu"}, {"digits", "mnist"}, {"sgd", "adam"}),
    (["-k", "swish and sgd"], {"silu"}, {"digits", "mnist"}, {"sgd"}),
    (["-k", "el"], {"relu", "leaky_relu", "elu", "selu", "gelu"}, {"digits", "mnist"}, {"sgd", "adam"}),
    (["-k", "micro-mlp-digits-elu-sgd"], {"elu"}, {"digits"}, {"sgd"}),
    (["-k", "mlp and not mnist and sgd and gelu"], {"gelu"}, {"digits"}, {"sgd"}),
    (["-m", "case(activation='elu')"], {"elu"}, {"digits", "mnist"}, {"sgd", "adam"}),
    (["-m", "case(activation='elu') and case(dataset='digits')"], {"elu"}, {"digits"}, {"sgd", "adam"}),
    (["--activation", "elu,lrelu", "--dataset", "digits"], {"elu", "leaky_relu"}, {"digits"}, {"sgd", "adam"}),
    (["--optimizer", "sgd", "-k", "elu and digits"], {"elu"}, {"digits"}, {"sgd"}),
    (
        ["--experiment", "micro", "--model", "mlp", "--activation", "mish"],
        {"mish"},
        {"digits", "mnist"},
        {"sgd", "adam"},
    ),
]


@pytest.mark.parametrize(("arguments", "activations", "datasets", "optimizers"), EXPRESSIONS)
def test_a_word_that_is_an_axis_value_means_exactly_it(micro, arguments, activations, datasets, optimizers):
    result = micro.runpytest_inprocess("--collect-only", "-q", *arguments)
    found = {tuple(line.split("[")[1].rstrip("]").split("-")) for line in result.outlines if "::test_micro[" in line}
    expected = {("micro", "mlp", d, a, o) for d in datasets for a in activations for o in optimizers}
    assert found == expected
    assert result.ret == 0


def test_the_options_keep_unit_tests_beside_the_cases_findable_by_substring(micro):
    micro.makepyfile(test_unit="def test_elu_is_smooth():\n    assert True\n")
    result = micro.runpytest_inprocess("--collect-only", "-q", "-k", "elu and not mnist and not adam")
    chosen = [line for line in result.outlines if "::" in line]
    assert chosen == ["test_micro.py::test_micro[micro-mlp-digits-elu-sgd]", "test_unit.py::test_elu_is_smooth"]


def test_shares_are_disjoint_cover_all_cases_and_leave_other_tests_in_each(micro):
    micro.makepyfile(test_unit="def test_a_unit():\n    assert True\n")
    shares = []
    for place in (1, 2, 3):
        result = micro.runpytest_inprocess("--collect-only", "-q", "--shard", f"{place}/3")
        lines = [line for line in result.outlines if "::" in line]
        assert "test_unit.py::test_a_unit" in lines
        shares.append({line for line in lines if "[micro-" in line})
    everything = micro.runpytest_inprocess("--collect-only", "-q")
    assert set.union(*shares) == {line for line in everything.outlines if "[micro-" in line}
    assert sum(map(len, shares)) == len(set.union(*shares))
    assert all(shares)


def test_the_shards_of_a_matrix_share_its_level_of_false_alarms(micro):
    """The number of cases that each is judged among is that of all shards, of what else is selected."""

    class Asked:
        cases: int

        @pytest.hookimpl(wrapper=True)
        def pytest_collection_finish(self, session):
            yield
            self.cases = session.config.stash[STATE].runner.cases

    def cases_of(*arguments):
        asked = Asked()
        micro.inline_run("--collect-only", "-q", *arguments, plugins=[asked])
        return asked.cases

    everything, some = cases_of(), cases_of("-k", "elu")
    assert 0 < some < everything
    for place in (1, 2, 3):
        assert cases_of("--shard", f"{place}/3") == everything
        assert cases_of("-k", "elu", "--shard", f"{place}/3") == some


SWEPT = """variants=("psi80", "psi16_late", "lr0.001", "dropout0.5_lr0.01", "lr0.00012", "late"),
    runs_at=lambda case, scale: scale == "small" or not case.variant.endswith("late"), recipe="""


@pytest.fixture
def swept(micro):
    """The micro experiment with variants, some at a larger scale alone, and without elu."""
    file = micro.path / "test_micro.py"
    file.write_text(file.read_text().replace("recipe=", SWEPT).replace('"elu", ', ""))
    return micro


@pytest.mark.parametrize(
    ("word", "variants"),
    [
        ("psi8", set()),  # no value at any scale
        ("psi16", set()),  # one at another scale
        ("lr0.0001", set()),
        ("late", set()),
        ("elu", set()),  # a value that no case has
        ("elup", set()),
        ("resnet18", set()),
        ("psi80", {"psi80"}),
        ("lr0.01", {"dropout0.5_lr0.01"}),  # one setting of several
        ("dropout0.5_lr0.01", {"dropout0.5_lr0.01"}),
        ("psi", {"psi80"}),  # a substring
        ("lr0.", {"lr0.001", "dropout0.5_lr0.01", "lr0.00012"}),
    ],
)
def test_a_value_that_no_case_has_stands_for_no_other(swept, word, variants):
    chosen = swept.runpytest_inprocess("--collect-only", "-q", "-k", f"digits and relu and sgd and {word}")
    found = {line.split("-sgd-")[1].rstrip("]") for line in chosen.outlines if "::test_micro[" in line}
    assert found == variants


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("psi16", "no test is called 'psi16' at --scale tiny; there are some at small"),
        ("psi8", "no test is called 'psi8'; did you mean psi80"),
        ("elu", "no test is called 'elu'; did you mean "),
    ],
)
def test_a_value_that_no_case_has_is_said_to_be_none(swept, word, message):
    result = swept.runpytest_inprocess("-k", word)
    assert any(line.startswith(f"nothing is selected: {message}") for line in result.outlines)


@pytest.mark.parametrize("arguments", [["-k", "nonsense"], ["-m", "case(dataset='cifar10')"], ["-k", "elu and relu"]])
def test_selecting_nothing_is_never_green(micro, arguments):
    assert micro.runpytest_inprocess(*arguments).ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "elu and digts"], "no test is called 'digts'; did you mean digits?"),
        (["-k", "digi and not xyzzy and relu and elu"], "no test is called 'xyzzy'"),
        (["-k", "elu and relu"], "no test at --scale tiny fits all of -k 'elu and relu'"),
        (["-m", "case(dataset='cifar10')"], "no test at --scale tiny fits all of -m \"case(dataset='cifar10')\""),
        (["--deselect", "test_micro.py"], "no test at --scale tiny fits all of --deselect test_micro.py"),
        (["-k", "elu", "--deselect", "test_micro.py"], "no test at --scale tiny fits all of -k 'elu', --deselect"),
        (["-p", "leaves_nothing"], "no test at --scale tiny is left by other plugins"),
        (["-k", "elu and late"], "no test is called 'late' at --scale tiny; there are some at small"),
        (["--dataset", "cifar10"], "no case fits the options at any scale"),
        (["--activation", "mish", "--shard", "1/9999"], "no case fits the options at any scale"),
    ],
)
def test_selecting_nothing_says_why(micro, arguments, message):
    file = micro.path / "test_micro.py"
    variants = 'variants=("", "late"), runs_at=lambda case, scale: scale == "small" or not case.variant,'
    file.write_text(file.read_text().replace("recipe=", f"{variants} recipe="))
    micro.makepyfile(leaves_nothing="def pytest_collection_modifyitems(items): items.clear()")
    micro.syspathinsert()
    result = micro.runpytest_inprocess(*arguments)
    assert f"nothing is selected: {message}" in result.stdout.str()
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("case(activation='rellu')", "unknown activation 'rellu': did you mean relu"),
        ("not case(dataset='digts')", "unknown dataset 'digts'; known: digits, mnist, "),
        ("case(activaton='relu')", "-m: case has no 'activaton'; it has: experiment, model, dataset, activation, "),
    ],
)
def test_a_name_in_a_mark_that_does_not_exist_is_an_error(micro, expression, message):
    result = micro.runpytest_inprocess("-m", expression)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()


def test_a_mark_takes_aliases(micro):
    by_alias, by_name = (
        micro.runpytest_inprocess("--collect-only", "-q", "-m", f"case(activation='{name}')").outlines
        for name in ("swish", "silu")
    )
    assert sum("::" in line for line in by_name) == 4
    assert [line for line in by_alias if "::" in line] == [line for line in by_name if "::" in line]


@pytest.mark.parametrize("expression", ["elu and (", "leaky relu", "relu gelu", "relu)"])
def test_an_expression_that_is_none_is_quoted_as_typed_and_nothing_is_called_lost(micro, expression):
    result = micro.runpytest_inprocess("-k", expression)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"-k': {expression}: at column " in result.stderr.str()
    assert "parametrized" not in result.stderr.str()
    assert "did not report" not in result.stdout.str()


def test_unit_tests_that_take_cases_are_no_experiments(micro):
    unit = """
import pytest
from bench.cases.case import Case

@pytest.mark.parametrize("one", [Case("cnn", "cnn", "mnist", "elu", "sgd")], ids=str)
def test_unit(one):
    pass
"""
    micro.makepyfile(test_unit=unit)
    nothing = micro.runpytest_inprocess("test_unit.py", "-k", "xyzzy")
    assert "nothing is selected: no test is called 'xyzzy'" in nothing.outlines
    plan = micro.runpytest_inprocess("test_unit.py", "--plan")
    plan.stderr.fnmatch_lines(["ERROR: --plan: no case of an experiment is selected*"])


def test_selecting_something_gives_no_reason(micro):
    assert "nothing is selected" not in micro.runpytest_inprocess("--collect-only", "-k", "elu").stdout.str()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--activation", "rellu"], "*unknown activation 'rellu': did you mean relu*"),
        (["--dataset", "cifar"], "*unknown dataset 'cifar'; known: digits, *"),
        (["--model", "resnet"], "*unknown model 'resnet'; known: mlp, *"),
        (["--optimizer", "lion"], "*unknown optimizer 'lion'; known: sgd, nesterov, adam, adamw*"),
        (["--experiment", "bert"], "*unknown experiment 'bert'; known: micro*"),
        (["--activation", "nowhere.py:act"], "*there is no file 'nowhere.py'*"),
        (["--activation", ","], "*--activation is empty*"),
        (["--seeds", "0"], "*--seeds: '0' is not a whole number of at least 1*"),
        (["--confirm=-1"], "*--confirm: '-1' is not a whole number of at least 0*"),
        (["--difference", "none"], "*--difference: 'none' is not a number above 0*"),
        (["--shard", "3/2"], "*--shard 3/2: give I/N with I from 1 to N*"),
        (["--shard", "half"], "*--shard half: give I/N*"),
        (["--data-dir", "nowhere"], "*nowhere: no such file or folder*"),
        (["--baseline-dir", "nowhere"], "*nowhere: no such folder; make it with --record*"),
    ],
)
def test_an_unknown_name_is_an_error_that_lists_the_known_ones(micro, arguments, message):
    result = micro.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_a_malformed_expression_is_quoted_as_it_was_typed(micro):
    result = micro.runpytest_inprocess("-k", "elu and (")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*-k*: elu and (*"])


def test_an_option_that_is_given_again_adds_to_the_one_before(micro):
    twice = ("--activation", "elu", "--activation", "gelu,silu", "--optimizer", "sgd", "--optimizer", "adam")
    lines = micro.runpytest_inprocess("--collect-only", "-q", "--dataset", "digits", *twice).outlines
    assert sum("::test_micro[" in line for line in lines) == 6


@pytest.mark.parametrize("given", ["a,b.py:mine", "relu,a,b.py:mine", "a,b.py:mine,relu", "my, own/a,b.py:mine,relu"])
def test_a_comma_in_the_path_of_a_file_belongs_to_it(micro, given):
    (micro.path / "my, own").mkdir()
    for path in ("a,b.py", "my, own/a,b.py"):
        (micro.path / path).write_text("def mine(x):\n    return x\n")
    lines = micro.runpytest_inprocess("--collect-only", "-q", "-k", "mine and digits", "--activation", given).outlines
    assert sum("-mine-" in line for line in lines) == 2


@pytest.mark.parametrize("off", ["benchmark", "xdist", "terminal", "cacheprovider", "junitxml", "logging"])
def test_a_plugin_of_others_may_be_off(micro, off):
    micro.makepyfile(test_kernels="from bench.timing.test_kernels import *")
    arguments = ("-p", f"no:{off}", "-k", "digits and relu and sgd", "--probe", "--baseline=ignore")
    assert micro.runpytest_inprocess(*arguments).ret == 0


def test_a_case_is_meant_by_its_values_their_aliases_and_its_id():
    assert selection.words_of(CASE) >= {"cnn", "cifar10", "leaky_relu", "lrelu", "sgd", "lr0.01", CASE.id}


def test_rewriting_leaves_operators_and_other_words_alone():
    exact = selection.exact("cifar and (elu or not smooth_elu)", {"elu"})
    assert exact == "cifar and ((:elu: or (elu and not :parametrized:)) or not smooth_elu)"
