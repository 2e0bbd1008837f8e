"""Comparing two result folders: what is paired, what is told apart, and what is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench import __main__
from bench.cases.case import Case
from bench.records import baseline, record
from bench.records.record import Record
from bench.regression import compare
from bench.reporting import comparing
from made import ELSEWHERE, runs
from made import record as made_record

NAMES = [f"act{number}" for number in range(20)]


def case(name: str) -> Case:
    return Case("mlp", "mlp", "digits", name, "sgd")


def session(seed: int, names=NAMES, n: int = 3, moved: dict[str, float] | None = None, **settings) -> list[Record]:
    """Runs whose weights and batches, the same in every session, matter more than rounding does."""
    noise = np.random.default_rng(seed)
    found = []
    for place, name in enumerate(names):
        shared = np.random.default_rng(place).normal(0.9, 0.02, n)
        values = shared + noise.normal(0, 0.002, n) + (moved or {}).get(name, 0.0)
        found += runs(values.tolist(), case=case(name), **settings)
    return found


def verdicts(before: list[Record], after: list[Record]) -> dict[str, str]:
    return {one.case.activation: one.verdict for one in compare.compare(before, after).cases}


def test_equal_bits_are_the_same_and_need_no_noise():
    one = session(0)
    found = compare.compare(one, one)
    assert {one.verdict for one in found.cases} == {"SAME"}
    assert all(one.same == 3 and one.difference.value == 0 for one in found.cases)
    assert not found.failed


def test_other_bits_are_changed_here_and_within_on_another_machine():
    assert set(verdicts(session(1), session(2)).values()) == {"MOVED"}
    assert set(verdicts(session(1), session(2, fingerprint=ELSEWHERE)).values()) == {"WITHIN"}


def test_a_drop_far_below_the_spread_of_the_seeds_is_found_by_pairing():
    found = verdicts(session(1), session(2, moved={"act3": -0.02, "act7": 0.02}))
    assert found.pop("act3") == "REGRESSED"
    assert found.pop("act7") == "IMPROVED"
    assert set(found.values()) == {"MOVED"}


def test_a_loss_that_rises_is_a_regression():
    worse = {"act3": 0.02}
    settings = {"metric": "test_loss"}
    assert verdicts(session(1, **settings), session(2, moved=worse, **settings))["act3"] == "REGRESSED"


def test_one_comparison_in_a_hundred_raises_a_false_alarm():
    alarms = [compare.compare(session(2 * k), session(2 * k + 1)).failed for k in range(150)]
    assert np.mean(alarms) <= 0.02


@pytest.mark.parametrize(("cases", "n"), [(1, 3), (75, 3), (200, 5), (200, 8)])
def test_a_network_that_is_dead_in_all_seeds_fails(cases, n):
    assert comparison_with_a_dead_one(cases, n).failed


@pytest.mark.parametrize(("cases", "n", "seeds"), [(1, 1, 4), (20, 2, 8), (76, 3, 12), (76, 1, 5)])
def test_a_network_that_is_dead_in_too_few_seeds_is_suspect_and_the_seeds_that_would_show_it_are_named(cases, n, seeds):
    found = comparison_with_a_dead_one(cases, n)
    assert not found.failed
    assert [one.suspect for one in found.cases if one.case.activation == "act0"] == ["COLLAPSED"]
    told = comparing.comparison_text(found)
    assert "MOVED (COLLAPSED?)" in told
    assert f"? may be chance, by so few seeds among {cases} case(s): --seeds {seeds} tells" in told
    assert comparison_with_a_dead_one(cases, seeds).failed


def comparison_with_a_dead_one(cases: int, n: int) -> compare.FolderComparison:
    names = [f"act{number}" for number in range(cases)]
    dead = [replace(one, outcome="collapsed") for one in session(2, names[:1], n)]
    return compare.compare(session(1, names, n), [*dead, *session(2, names, n)[n:]])


def test_chance_kills_a_network_in_one_comparison_in_a_hundred_of_as_many_cases_as_were_recorded():
    """Their shares of runs that train are taken for the truth, and two runs of a seed for unrelated."""
    rows = [row.runs for row in baseline.read(baseline.FOLDER).values() if row.key.scale == "tiny"]
    shares = np.array([len(runs.trained) / runs.n for runs in rows])
    for cases in (compare.FEW_CASES, len(shares)):
        n = compare.fewest_to_be_plain(cases)
        assert (shares**n * (1 - shares) ** n).mean() * cases < compare.LEVEL


@pytest.mark.parametrize("n", [2, 3, 20])
def test_one_test_example_is_no_finding_however_often_it_is_lost(n):
    def with_one_less(name: str) -> float:
        return -1 / 360 if name == "act3" else 0.0

    settings = {"test_size": 360}
    before = [
        one for name in NAMES[:6] for one in runs([0.9, 0.95, 0.92, *[0.93] * n][:n], case=case(name), **settings)
    ]
    lost = [record_with(one, one.value + with_one_less(one.case.activation)) for one in before]
    assert set(verdicts(before, lost).values()) == {"MOVED"}
    (found,) = [one for one in compare.compare(before, lost).cases if one.case.activation == "act3"]
    assert found.difference.p == 1
    assert found.difference.half >= 1 / 360


def record_with(one: Record, value: float) -> Record:
    return replace(one, metrics={**one.metrics, one.recipe["metric"]: value}, digest=f"{value}")


@pytest.mark.parametrize("n", [2, pytest.param(3, marks=pytest.mark.slow), pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("experiment", ["mlp", pytest.param("cnn", marks=pytest.mark.slow)])
def test_recorded_runs_drawn_anew_raise_a_false_alarm_in_one_comparison_in_a_hundred(experiment, n):
    """Activations of one block spread from 2 to 40 examples, and two seeds do not show which."""
    rows = [row for row in baseline.read(baseline.FOLDER).values() if row.key.scale == "tiny"]
    rows = [row for row in rows if (row.key.case.experiment, row.key.case.dataset) == (experiment, "digits")]
    rng = np.random.default_rng(n)

    def drawn(tag: str) -> list[Record]:
        places = [(row, rng.integers(row.runs.n, size=n)) for row in rows]
        return [
            made_record(
                seed, row.runs.values[place], row.runs.outcomes[place], {"torch": tag}, row.key.case, test_size=None
            )
            for row, chosen in places
            for seed, place in enumerate(chosen)
        ]

    alarms = [compare.compare(drawn("a"), drawn("b")).failed for _ in range(100)]
    assert np.mean(alarms) <= 0.03


def test_a_run_that_trained_to_a_value_that_is_not_finite_has_diverged():
    before, after = session(1, n=8), session(2, n=8)
    after = [record_with(one, float("nan")) if one.case.activation == "act5" else one for one in after]
    assert verdicts(before, after)["act5"] == "DIVERGED"


def test_diverged_runs_have_no_value_to_compare():
    before = session(1, n=8)
    after = [
        replace(one, outcome="diverged", metrics={**one.metrics, "test_accuracy": float("nan")})
        if one.case.activation == "act5"
        else one
        for one in session(2, n=8)
    ]
    found = {one.case.activation: one for one in compare.compare(before, after).cases}["act5"]
    assert found.verdict == "DIVERGED"
    assert found.difference.n == 0
    assert "8 diverged" in comparing.comparison_text(compare.compare(before, after))


def test_a_single_seed_and_a_single_case_can_show_nothing_and_say_so():
    before, after = session(1, names=["act0"], n=1), session(2, names=["act0"], n=1)
    found = compare.compare(before, after)
    assert [one.verdict for one in found.cases] == ["MOVED"]
    assert "no case has two pairs that trained, so no difference could be a finding" in comparing.comparison_text(found)


def test_what_could_have_been_found_is_about_what_is_found():
    before, after = session(1), session(2)
    reach = np.median([one.findable for one in compare.compare(before, after).cases])
    found = [verdicts(before, session(2, moved={"act3": -factor * reach}))["act3"] for factor in (0.3, 2.5)]
    assert found == ["MOVED", "REGRESSED"]


@pytest.mark.parametrize("change", [{"scale": "small"}, {"data_hash": "other"}, {"version": 2}])
def test_what_is_not_of_equal_scale_data_and_recipe_is_counted_as_without_a_partner(change):
    found = compare.compare(session(1, names=["act0"]), session(1, names=["act0"], **change))
    assert found.cases == ()
    assert found.apart == {"only before": 3, "only after": 3}


def test_runs_of_one_device_are_compared_with_each_other_however_many_devices_a_folder_has(tmp_path):
    def on_card(records):
        return [replace(one, device_class="cuda_t4") for one in records]

    fine, dead = runs([0.9] * 5, case=case("a")), runs([0.1] * 5, "collapsed", case=case("a"))
    found = compare.compare([*fine, *on_card(fine)], [*dead, *on_card(fine)])
    assert [one.verdict for one in found.cases] == ["COLLAPSED", "SAME"]
    assert not found.apart
    assert "mlp-mlp-digits-a-sgd tiny cuda_t4" in comparing.comparison_text(found, everything=True)
    (across,) = compare.compare(fine, on_card(fine)).cases
    assert across.devices == ["cpu", "cuda_t4"]
    assert compare.compare([*fine, *on_card(fine)], fine).apart == {"only before": 5}


def test_seeds_that_one_folder_lacks_are_left_out_and_counted():
    found = compare.compare(session(1, n=5), session(2, n=3))
    assert {len(one.before) for one in found.cases} == {3}
    assert found.apart == {"only before": 2 * len(NAMES)}


def test_the_command_says_what_got_worse_and_ends_with_1(tmp_path, capsys):
    for folder, records in (("a", session(1)), ("b", session(2, moved={"act3": -0.02}))):
        for one in records:
            record.save(one, tmp_path / folder)
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert __main__.main(["compare", *folders]) == 1
    told = capsys.readouterr().out
    assert "mlp-mlp-digits-act3-sgd" in told
    assert "REGRESSED" in told
    assert "act4" not in told
    assert __main__.main(["compare", *folders[::-1]]) == 0
    assert __main__.main(["compare", "--all", *folders]) == 1
    assert "act4" in capsys.readouterr().out


def test_folders_that_have_no_run_in_common_are_no_comparison(tmp_path, capsys):
    for name, one in (("before", made_record(0, 0.9)), ("after", made_record(0, 0.1, "collapsed", scale="small"))):
        record.save(one, tmp_path / name)
    assert __main__.main(["compare", str(tmp_path / "before"), str(tmp_path / "after")]) == 2
    assert "has a partner in" in capsys.readouterr().err


def test_a_folder_without_records_is_an_error_that_names_it(tmp_path, capsys):
    assert __main__.main(["compare", str(tmp_path / "none"), str(tmp_path)]) == 2
    assert "none/runs; make some with: pytest bench --results-dir" in capsys.readouterr().err
