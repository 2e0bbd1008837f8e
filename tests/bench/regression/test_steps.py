"""The history of a case: what a session adds, which sessions are one state, and where the mean steps."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from bench import __main__
from bench.cases.case import Case
from bench.records import history
from bench.records.history import Entry
from bench.records.result import Result
from bench.records.runs import Runs
from bench.regression import steps
from made import runs

CASE = Case("mlp", "mlp", "digits", "relu", "sgd")


def entry(number: int, mean: float, n: int = 3, sd: float = 0.01, digest: str | None = None, **changes) -> Entry:
    values = tuple(np.random.default_rng(number).normal(mean, sd, n).tolist())
    return Entry(
        **{
            "date": f"2026-11-{number + 1:02d}T00:00:00+00:00",
            "commit": f"c{number}",
            "case": CASE,
            "environment": ("tiny", 1, "0", "cpu"),
            "metric": "test_accuracy",
            "runs": Runs(
                seeds=tuple(range(n)),
                values=values,
                outcomes=("trained",) * n,
                digests=tuple(f"{digest or number}-{seed}" for seed in range(n)),
            ),
            "verdict": "WITHIN",
            **changes,
        }
    )


def with_runs(one: Entry, **changes) -> Entry:
    return replace(one, runs=replace(one.runs, **changes))


def result(values, outcome="trained") -> Result:
    return Result(CASE, tuple(runs(values, outcome, case=CASE)), "SAME", "made", failed=False)


def test_what_a_session_appends_is_read_back_beside_what_was_there(tmp_path):
    history.append([result([0.9, 0.8])], tmp_path)
    history.append([result([0.7, float("nan")], "diverged")], tmp_path)
    first, second = history.read(tmp_path)
    assert (first.case, first.runs.values, first.runs.trained, first.verdict) == (CASE, (0.9, 0.8), (0.9, 0.8), "SAME")
    assert second.runs.values[0] == 0.7
    assert np.isnan(second.runs.values[1])
    assert second.runs.trained == ()
    assert "NaN" not in (tmp_path / history.FILE).read_text()


def test_sessions_of_equal_bits_are_one_state():
    values = (0.9, 0.9, 0.9)
    digests = ["a"] * 5 + ["b"] * 4
    entries = [with_runs(entry(k, 0.9, digest=digest), values=values) for k, digest in enumerate(digests)]
    assert [one.commit for one in steps.states(entries)] == ["c0", "c5"]
    assert len(steps.states([*entries, with_runs(entry(9, 0.9, digest="b"), values=(0.9, 0.9, 0.1))])) == 3


def test_sessions_of_other_seeds_are_states_of_their_own():
    entries = [entry(0, 0.9, digest="a"), with_runs(entry(1, 0.9, digest="a"), seeds=(7, 8, 9))]
    assert steps.states(entries) == entries


@pytest.mark.parametrize("at", [3, 6, 9])
def test_a_step_is_found_where_it_is(at):
    series = [entry(k, 0.95 if k < at else 0.90) for k in range(12)]
    assert steps.steps(series) == [at]


def test_two_steps_are_two():
    series = [entry(k, 0.95 if k < 4 or k > 7 else 0.90) for k in range(12)]
    assert steps.steps(series) == [4, 8]


@pytest.mark.parametrize("seed", range(20))
def test_levels_are_the_best_of_all_partitions(seed):
    rng = np.random.default_rng(seed)
    values, penalty, weights = rng.normal(0, 1, 9) + 3 * (np.arange(9) > seed % 9), 4.0, rng.integers(1, 9, 9)

    def cost(starts: tuple[int, ...]) -> float:
        parts = zip(np.split(values, starts), np.split(weights, starts), strict=True)
        each = [(weight * (part - np.average(part, weights=weight)) ** 2).sum() + penalty for part, weight in parts]
        return sum(each)

    every = (starts for count in range(9) for starts in combinations(range(1, 9), count))
    assert steps.segments(values, penalty, weights) == [0, *min(every, key=cost)]


@pytest.mark.parametrize("other", [1, 3, 4, 7, 31])
@pytest.mark.parametrize("states", [5, 12])
def test_a_history_without_a_step_seldom_shows_one_whatever_the_numbers_of_seeds(states, other):
    sizes = [3] * states
    sizes[states // 2] = other

    def session(number, n, rng):
        return with_runs(entry(number, 0.9, n=n), values=tuple(rng.normal(0.9, 0.01, n)))

    found = [
        bool(steps.steps([session(number, n, rng) for number, n in enumerate(sizes)]))
        for rng in map(np.random.default_rng, range(200))
    ]
    assert np.mean(found) <= 0.03


def test_runs_that_do_not_spread_at_all_step_where_they_differ_and_not_by_rounding():
    still = [with_runs(entry(k, 0.1), values=(0.1, 0.1, 0.1)) for k in range(6)]
    assert steps.steps(still) == []
    assert steps.steps(still[:3] + [with_runs(one, values=(0.2, 0.2, 0.2)) for one in still[3:]]) == [3]


def test_runs_that_did_not_train_are_no_level_of_their_own():
    series = [entry(k, 0.9) for k in range(6)]
    series[3] = with_runs(series[3], outcomes=("collapsed",) * 3, values=(0.1,) * 3)
    assert steps.steps(series) == []


def test_one_run_a_session_leaves_nothing_to_measure_noise_by():
    single = [entry(k, 0.9 - k / 10, n=1) for k in range(6)]
    assert steps.steps(single) == []
    assert steps.steps([*single, entry(7, 0.9)]) == []


def test_a_step_is_told_from_the_last_state_that_trained():
    collapsed = with_runs(entry(4, 0.1), outcomes=("collapsed",) * 3)
    told = steps.steps_text([*(entry(k, 0.90) for k in range(4)), collapsed, *(entry(k, 0.95) for k in range(5, 9))])
    assert "▲ +4.24" in told
    assert "nan" not in told
    assert [line.split()[4] for line in told.splitlines() if CASE.id in line] == ["c3", "c4", "c5"]


def test_only_what_stepped_is_reported_unless_all_is_asked_for():
    quiet = [replace(entry(k, 0.9), case=replace(CASE, activation="elu")) for k in range(8)]
    stepped = [entry(k, 0.95 if k < 4 else 0.90) for k in range(8)]
    told = steps.steps_text(quiet + stepped)
    assert "relu" in told
    assert "▼ -4.69" in told
    assert "-elu-" not in told
    assert "-elu-" in steps.steps_text(quiet + stepped, everything=True)
    assert steps.steps_text(quiet).endswith("no step beyond the noise")


def test_the_command_reads_the_history_of_a_results_folder(tmp_path, capsys):
    history.append([result([0.9, 0.8])], tmp_path)
    assert __main__.main(["history", "--results-dir", str(tmp_path), "--all", "--activation", "relu"]) == 0
    assert CASE.id in capsys.readouterr().out
    assert __main__.main(["history", "--results-dir", str(tmp_path), "--activation", "mish"]) == 2
    assert "none of the 1 entries" in capsys.readouterr().err


def test_a_broken_line_and_a_missing_file_are_named(tmp_path, capsys):
    assert __main__.main(["history", "--results-dir", str(tmp_path)]) == 2
    assert "no history at" in capsys.readouterr().err
    history.append([result([0.9])], tmp_path)
    with (tmp_path / history.FILE).open("a") as file:
        file.write("{}\n")
    assert __main__.main(["history", "--results-dir", str(tmp_path)]) == 2
    assert f"{history.FILE}, line 2 is not a history entry" in capsys.readouterr().err
