"""Engines: what is asked for is told apart at once, and a session on one that ends in any order is today's session."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import engines
from bench.cases.case import Case, Experiment
from bench.cases.recipe import Recipe
from bench.data import DataError
from bench.data.locations import Locations
from bench.engines import EngineChoice, RunLostError
from bench.engines.job import BothProbes, Job, Known, ProbesJob, RunJob
from bench.engines.local import Local
from bench.records import record
from bench.regression import judge
from bench.session.order import longest_first
from made import record as made_record
from written import records_in

CASE = Case("mlp", "mlp", "digits", "elu", "sgd")
RECIPE = Recipe(1, epochs=1, batch_size=64, learning_rate=1e-3, initialisation="kaiming", threads=1, test_noise=(0.5,))
FIRST_STEPS = "its data and first steps"
CHOSEN = ("-k", "digits and sgd and (relu or elu or selu)", "--baseline-dir", "own_baselines")


class Backwards(Local):
    """Does the last of what is asked for first, once it is waited for, and carries all of it over the wire."""

    asked: list[tuple[str, str]]
    broken: dict[int, Exception]  # by seed

    def __init__(self, choice, jobs, ended, told):
        super().__init__(choice, jobs, ended, told)
        self.jobs, self.outcomes = [], {}
        Backwards.asked = []
        self.submit(jobs)

    def __str__(self):
        return "one that is made"

    def submit(self, jobs):
        new = [job for job in jobs if job.key not in {one.key for one in self.jobs}]
        self.jobs += new
        Backwards.asked += [(job.case.activation, job.name) for job in new]

    def outcome(self, job):
        self.submit([job])
        if job.key not in self.outcomes:
            self._do(job)
        self.jobs = [one for one in self.jobs if one.key != job.key]
        if isinstance(found := self.outcomes.pop(job.key), Exception):
            raise found
        return found

    def completed(self, *, wait):
        left = [job for job in self.jobs if job.key not in self.outcomes]
        if not wait or not left:
            return None
        for job in left:
            if job.case == left[-1].case:
                self._do(job)
        return left[-1].case

    def _do(self, job):
        if error := Backwards.broken.get(getattr(job, "seed", None)):
            self.outcomes[job.key] = error
            return
        found = Job.from_builtin(job.to_builtin()).do(Known())
        self.outcomes[job.key] = job.result.from_builtin(found.to_builtin())
        self._ended(job, self.outcomes[job.key])


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Backwards]]:
    monkeypatch.setattr(engines, "ENGINES", {**engines.ENGINES, "backwards": f"{__name__}:Backwards"})
    monkeypatch.setattr(engines, "find", lambda name: Backwards if name == "backwards" else Local)
    monkeypatch.setattr(Backwards, "broken", {}, raising=False)
    return Backwards


def bits_in(folder: Path) -> dict:
    return {
        (one["case"]["activation"], one["case"]["optimizer"], one["seed"]): (one["digest"], one["fingerprint"])
        for one in records_in(folder)
    }


# ---- a session on an engine of another kind -----------------------------------------------------------------------


def test_its_lines_come_as_cases_end_and_all_else_is_as_in_this_process(micro, backwards):
    here = micro.runpytest_inprocess(*CHOSEN, "--seeds", "2", "--results-dir", "here")
    there = micro.runpytest_inprocess(*CHOSEN, "--seeds", "2", "--engine", "backwards", "--results-dir", "there")
    names = ["selu", "elu", "relu"]
    there.stdout.fnmatch_lines(
        ["engine: one that is made", *(f"*{n}/3  micro-mlp-digits-{name}-sgd *" for n, name in enumerate(names, 1))]
    )
    assert here.parseoutcomes()["passed"] == there.parseoutcomes()["passed"] == 3
    assert bits_in(micro.path / "here") == bits_in(micro.path / "there")
    assert len(bits_in(micro.path / "there")) == 6

    def table(result):
        return [line.split()[:4] for line in str(result.stdout).splitlines() if line.startswith(("1", "rank"))]

    assert table(here) == table(there)


def test_probes_are_recorded_and_found_the_same(micro, backwards):
    probe = ["-k", "digits and sgd and elu", "--baseline-dir", "own_baselines", "--probe"]
    micro.runpytest_inprocess(*probe, "--record", "--engine", "backwards").assert_outcomes(passed=1)
    found = micro.runpytest_inprocess(*probe, "--engine", "backwards", "--baseline=require")
    found.stdout.fnmatch_lines(["1 SAME"])
    micro.runpytest_inprocess(*probe, "--baseline=require").stdout.fnmatch_lines(["1 SAME"])


def test_fresh_seeds_of_a_suspicious_case_are_asked_for_when_the_others_have_been(micro, backwards, monkeypatch):
    monkeypatch.setattr(judge, "judge", lambda *of, **how: judge.Judgement("WITHIN", "as made", ("REGRESSED",)))
    one_case = ("-k", "digits and sgd and elu", "--baseline-dir", "own_baselines", "--seeds", "2")
    micro.runpytest_inprocess(*one_case, "--engine", "backwards", "--confirm", "2").assert_outcomes(passed=1)
    assert backwards.asked == [("elu", name) for name in ("seed 0", "seed 1", FIRST_STEPS, "seed 2", "seed 3")]


def test_a_resumed_session_writes_nothing_anew(micro, backwards):
    chosen = [*CHOSEN, "--seeds", "2", "--baseline=ignore"]
    micro.runpytest_inprocess(*chosen).assert_outcomes(passed=3)
    before = {path: path.stat().st_mtime_ns for path in (micro.path / "results" / "runs").iterdir()}
    (lost := next(iter(before))).unlink()
    micro.runpytest_inprocess(*chosen, "--resume", "--engine", "backwards").assert_outcomes(passed=3)
    after = {path: path.stat().st_mtime_ns for path in (micro.path / "results" / "runs").iterdir()}
    assert after.keys() == before.keys()
    assert {path for path in after if after[path] != before[path]} == {lost}


@pytest.mark.parametrize("error", [DataError("on a: no digits"), RunLostError("seed 1: what did it died 4 times")])
def test_a_run_that_is_lost_fails_its_case_by_name_and_no_other_run(micro, backwards, error):
    backwards.broken[1] = error
    found = micro.runpytest_inprocess("-k", "digits and sgd and elu", "--seeds", "3", "--engine", "backwards")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines([f"{error}", "not lost: micro-mlp-digits-elu-sgd  0.* (n=2, *"])
    assert sorted(seed for *_, seed in bits_in(micro.path / "results")) == [0, 2]


def test_what_is_no_case_runs_when_all_cases_have_ended(micro, backwards):
    micro.makepyfile(test_first="def test_first():\n    pass\n")
    found = micro.runpytest_inprocess("-v", "-k", "first or (digits and sgd and elu)", "--engine", "backwards")
    found.assert_outcomes(passed=2)
    found.stdout.fnmatch_lines(["*micro-mlp-digits-elu-sgd*", "*test_first*"])


def test_exitfirst_stops_at_the_first_case_that_fails(micro, backwards):
    found = micro.runpytest_inprocess(*CHOSEN, "--engine", "backwards", "--baseline=require", "-x")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*stopping after 1 failures*"])


# ---- what is asked for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "slurm"], "--engine slurm: unknown engine 'slurm'; known: local, ray"),
        (["--engine", "local:head"], "--engine local takes no address, --gpus-per-run or --engine-accelerator*"),
        (["--gpus-per-run", "0.5"], "--engine local takes no address, --gpus-per-run or --engine-accelerator*"),
        (["--gpus-per-run", "-1"], "*--gpus-per-run: '-1' is not a number above 0"),
    ],
)
def test_what_an_engine_is_not_or_does_not_take_is_an_error_that_says_so(micro, options, message):
    found = micro.runpytest_inprocess(*CHOSEN, *options)
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines([f"*{message}"])


def test_without_ray_the_error_names_the_extra(micro, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'pip install -e "\.\[ray\]"'):
        EngineChoice.parse("ray")


def test_an_engine_beside_workers_is_refused_with_what_to_leave_out(micro, backwards):
    found = micro.runpytest_inprocess(*CHOSEN, "-n2", "--engine", "backwards")
    assert found.ret == pytest.ExitCode.USAGE_ERROR
    found.stderr.fnmatch_lines(["*--engine backwards runs cases side by side itself: leave -n out"])


# ---- jobs, their order and their way ------------------------------------------------------------------------------


def test_jobs_cross_as_plain_data_and_come_back_equal():
    before = tuple(made_record(0, 0.9, case=CASE) for _ in range(2))
    where = Locations(data_dir=Path("/data"))
    for job in (
        RunJob(CASE, RECIPE, "tiny", "cpu", where, 3, 0.25, True, True, before),
        ProbesJob(CASE, RECIPE, "tiny", "cpu", where, to_record=True),
    ):
        assert Job.from_builtin(job.to_builtin()) == job


def test_both_probes_cross_as_plain_data():
    found = ProbesJob(CASE, RECIPE, "tiny", "cpu", Locations()).do(Known())
    back = BothProbes.from_builtin(found.to_builtin())
    assert (back.probe.key, back.probe.layers, back.device_class) == (found.probe.key, found.probe.layers, "cpu")
    assert back.probe.series.keys() == found.probe.series.keys()
    assert back.probe.series["losses"] == pytest.approx(found.probe.series["losses"], rel=1e-14)
    assert back.data is not None
    assert back.data.key == found.data.key


def test_longest_first_goes_by_rows_times_bytes_and_what_is_unknown_is_first(micro):
    probe = ProbesJob(CASE, RECIPE, "tiny", "cpu", Locations()).do(Known()).probe

    def of(model: str, steps: int):
        case = replace(CASE, model=model)
        return replace(probe, key=probe.key._replace(case=case), recipe={**probe.recipe, "steps": steps})

    experiment = Experiment("mlp", "", "", (), (), (), (), recipe=lambda case, scale: RECIPE)
    recorded = {one.key: one for one in (of("short", 1), of("long", 9), of("middle", 5))}
    cases = [(experiment, replace(CASE, model=name)) for name in ("short", "new", "middle", "long")]
    cases += [(experiment, replace(CASE, model="long", activation="mine"))]
    assert [case.model for _, case in longest_first(cases, recorded, "tiny")] == [
        *("new", "long", "long", "middle", "short")
    ]


def test_a_runs_files_are_found_by_its_name_whatever_its_data_and_device(tmp_path):
    ones = [made_record(seed, 0.9, data_hash=data) for seed, data in itertools.product((0, 1), ("a", "b"))]
    for one in ones:
        record.save(one, tmp_path)
    (tmp_path / "runs" / "notes.json").touch()
    found = record.files_by_run(tmp_path)
    name = record.run_name(ones[0].case, "tiny", 1, 1)
    assert [path.name for path in found[name]] == [record.path_of(one.key, 1, tmp_path).name for one in ones[2:]]
