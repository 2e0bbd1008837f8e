"""Runner: from a case to its result. `Runner(settings).run(case, experiment)`.

This is the only door between the plugin and the training: records of a case, please. What stands behind it (this
process, a cluster) is an engine, see `bench.engines`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bench import engines
from bench.cases.case import Case, Experiment
from bench.data import DataError
from bench.engines import Engine, EngineChoice, RunLostError
from bench.engines.job import Job, ProbesJob, RunJob
from bench.records import baseline, record
from bench.records.quarantine import Place
from bench.records.record import Record, ResultsError
from bench.records.result import Result
from bench.records.verdict import fails, worst
from bench.session import failures
from bench.session.order import Declared, longest_first
from bench.session.recorded import Recorded
from bench.session.settings import Settings
from bench.training.out_of_memory import OutOfMemoryError

if TYPE_CHECKING:
    import torch

    from bench.cases.recipe import Recipe
    from bench.regression.judge import Judgement

# (case, seed, epoch, epochs at most, training loss, cases' worth of runs that is done of those without a result)
Progress: TypeAlias = Callable[[Case, int, int, int, float, float], None]
TROUBLES = (DataError, OutOfMemoryError, RunLostError)  # of a run, that leave the others of its case their worth


class Runner:
    """What all cases of one process share: settings, engine, and what is recorded.

    Attributes:
        recorded: what is judged by.
        cases: selected in all shards together, which share the level of false alarms.
        progress: told how far a run has come; None tells nobody.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.recorded = Recorded(settings.baseline_dir)
        self.cases = 1
        self.progress: Progress | None = None
        self._done: dict[tuple[Case, int], float] = {}  # shares of cases without a result
        self._unsaved: dict[Case, ResultsError] = {}
        self.engine = self._engine(EngineChoice(), [])

    def _engine(self, choice: EngineChoice, jobs: Sequence[Job[Any]]) -> Engine:
        return engines.find(choice.name)(choice, jobs, self._ended, self._told)

    def begin(self, cases: Sequence[Declared]) -> Engine:
        """Hand all that the cases need at first to the engine that is asked for, what takes longest first.

        Raises:
            ValueError: it cannot be had; the message says what is missing.
        """
        jobs: list[Job[Any]] = []
        for experiment, case in longest_first(cases, self.recorded.probes, self.settings.scale):
            with suppress(Exception):  # a recipe of a user's own may raise anything: the case's own item does so again
                jobs += self._at_first(case, experiment.recipe(case, self.settings.scale))
        self.engine = self._engine(self.settings.engine, jobs)
        return self.engine

    @cached_property
    def device(self) -> torch.device:
        """Raises ValueError where this machine lacks the device."""
        from bench.training.device import resolve

        return resolve(self.settings.device)

    @cached_property
    def _on_disk(self) -> dict[str, list[Path]]:
        return record.files_by_run(self.settings.results_dir)

    def run(self, case: Case, experiment: Experiment) -> Result:
        """Train a case and judge it, with fresh seeds while it looks suspicious.

        A record that cannot be written, and a run for which data or memory are missing, or that is lost with what ran
        it, fail the case, with the numbers of its other runs in the message.

        Raises:
            DataError, OutOfMemoryError, ResultsError, RunLostError, ValueError: it cannot be trained at all.
        """
        settings = self.settings
        recipe = experiment.recipe(case, settings.scale)
        trained: list[Record] = []
        troubles: list[Exception] = []

        def train(seeds: Sequence[int]) -> list[Record]:
            fresh = []
            self.engine.submit(jobs := self._runs(case, recipe, seeds))
            for job in jobs:
                try:
                    fresh.append(self.engine.outcome(job))
                except TROUBLES as error:
                    troubles.append(error)
            trained.extend(fresh)
            if not trained:
                raise troubles[0]
            return fresh

        try:
            if settings.record or settings.baseline_mode == "ignore":
                verdict = "RECORDED" if settings.record else "IGNORED"
                records = tuple(train(range(self._wanted(recipe))))
                result = Result(case, records, verdict, "nothing was judged", failed=False)
                if settings.record:
                    both = self.engine.outcome(self._probes(case, recipe))
                    result = replace(result, probe=both.probe, data_probe=both.data)
            else:
                result = self._spared(self._judged(case, recipe, train), trained[0].device_class)
        finally:
            self._done = {key: share for key, share in self._done.items() if key[0] != case}
        if case in self._unsaved:
            troubles.append(self._unsaved.pop(case))
        result = replace(result, views=(*experiment.views, *(["gradients"] if settings.gradients else [])))
        if troubles:
            message = f"{troubles[0]}\nnot lost: {result.line}\n{result.message}"
            result = replace(result, failed=True, message=message)
        return result

    def probed(self, case: Case, experiment: Experiment) -> Result:
        """Compare a case's first steps in float64 with those recorded, and train nothing.

        Raises:
            DataError, OutOfMemoryError, RunLostError, ValueError: it cannot be built.
        """
        settings = self.settings
        both = self.engine.outcome(self._probes(case, experiment.recipe(case, settings.scale)))
        result = Result(case, (), "", "nothing was judged", failed=False, probe=both.probe, data_probe=both.data)
        if settings.record or settings.baseline_mode == "ignore":
            return replace(result, verdict="RECORDED" if settings.record else "IGNORED")
        verdict, reason = self.recorded.compared(both.probe, both.data)
        result = replace(result, verdict=verdict, reason=reason, failed=fails(verdict, require=settings.require))
        if result.failed:
            result = replace(result, message=failures.of_first_steps(result, settings))
        return self._spared(result, both.device_class)

    def _wanted(self, recipe: Recipe) -> int:
        """Runs of a case, before any fresh ones."""
        return self.settings.seeds or (recipe.recorded_seeds if self.settings.record else recipe.seeds)

    def _at_first(self, case: Case, recipe: Recipe) -> list[Job[Any]]:
        settings = self.settings
        runs = [] if settings.probe else self._runs(case, recipe, range(self._wanted(recipe)))
        probed = settings.probe or settings.record or settings.baseline_mode != "ignore"
        return [*runs, *([self._probes(case, recipe)] if probed else [])]

    def _runs(self, case: Case, recipe: Recipe, seeds: Sequence[int]) -> list[RunJob]:
        settings = self.settings
        asked = (case, recipe, settings.scale, settings.device, settings.where)
        known = self._on_disk if settings.resume else {}
        names = (record.run_name(case, settings.scale, recipe.version, seed) for seed in seeds)
        earlier = [tuple(filter(None, map(record.load, known.get(name, ())))) for name in names]
        pairs = zip(seeds, earlier, strict=True)
        share = 1 / len(seeds)
        return [RunJob(*asked, seed, share, settings.gradients, settings.graph, before) for seed, before in pairs]

    def _probes(self, case: Case, recipe: Recipe) -> ProbesJob:
        settings = self.settings
        asked = (case, recipe, settings.scale, settings.device, settings.where)
        return ProbesJob(*asked, to_record=settings.record, downloads=not settings.probe)

    def _told(self, job: RunJob, epoch: int, epochs: int, loss: float, done: float | None = None) -> None:
        if self.progress:
            self._done[job.case, job.seed] = job.share * (epoch / epochs if done is None else done)
            self.progress(job.case, job.seed, epoch, epochs, loss, sum(self._done.values()))

    def _ended(self, job: Job[Any], outcome: Any) -> None:
        """Write a record at once: a session that is killed loses at most the runs under way."""
        if not isinstance(job, RunJob):
            return
        losses = outcome.curves["train_loss"]
        self._told(job, len(losses), job.recipe.epochs, losses[-1], done=1.0)
        if record.to_json(outcome) in map(record.to_json, job.earlier):
            return
        try:
            record.save(outcome, self.settings.results_dir)
        except ResultsError as error:
            self._unsaved[job.case] = error

    def _spared(self, result: Result, device_class: str) -> Result:
        """A result that does not fail where its case is in quarantine."""
        entry = self.recorded.quarantine.get(Place(result.case, self.settings.scale, device_class))
        if entry is None:
            return result
        return replace(result, failed=False, quarantine=str(entry), reason=f"{entry}; {result.reason}")

    def probed_as(self, case: Case, trained: Case, recipe: Recipe) -> tuple[str, str]:
        """Verdict and reason of the first steps of one case, as if they were those of another.

        Raises:
            DataError, ValueError: it cannot be built.
        """
        from bench.training import probe

        taken = probe.take_probe(trained, recipe, self.settings.scale, self.device)
        return self.recorded.compared(replace(taken, key=taken.key._replace(case=case)))

    def _judged(self, case: Case, recipe: Recipe, train: Callable[[Sequence[int]], list[Record]]) -> Result:
        from bench.regression import judge

        unused, wanted = itertools.count(), self._wanted(recipe)

        def more(seeds: int) -> list[Record]:
            return train(list(itertools.islice(unused, seeds)))

        records = more(wanted)
        key = records[0].key
        found, spread = self.recorded.of_runs(key, recipe)
        strict, require = self.settings.strict, self.settings.require
        both = self.engine.outcome(self._probes(case, recipe))
        of_probe, difference = self.recorded.compared(both.probe, both.data)
        stages = judge.stages(0 if of_probe == "CHANGED" else self.settings.confirm)  # it fails whatever they show
        records, judgement = judge.in_stages(records, more, found, spread, self.cases, stages, strict=strict)
        reason = (
            judgement.reason
            if found
            else f"{judgement.reason}; {failures.nearest(key, self.recorded.baselines.values())}"
        )
        verdict = judgement.verdict
        if of_probe == "CHANGED" or (of_probe == "NEW" and require):
            verdict, reason = worst([verdict, of_probe]), f"{difference}; {reason}"
        result = Result(case, tuple(records), verdict, reason, failed=False, probe=both.probe, data_probe=both.data)
        known = of_probe == "NEW" or baseline.has_device(self.recorded.baselines, key)
        if not fails(verdict, strict=strict, require=require and known):
            return result
        message = failures.of_runs(result, self.settings, judgement.difference, wanted, self.cases)
        return replace(result, failed=True, message=message)

    def judge_as(self, case: Case, trained: Case, experiment: Experiment, seeds: int) -> Judgement:
        """Train one case and judge it, alone and at once, as if it were another. Nothing is written.

        Raises:
            DataError, ValueError: it cannot be trained at all.
        """
        from bench.regression import judge
        from bench.training import train

        recipe = experiment.recipe(trained, self.settings.scale)  # what one activation alone takes is not for another
        asked = (trained, recipe, self.settings.scale, range(seeds), self.device, self.settings.where)
        runs = train.run(*asked, graph=self.settings.graph)
        records = [replace(one, case=case) for one in runs]
        found, spread = self.recorded.of_runs(records[0].key, recipe)
        return judge.judge(records, found, spread, cases=1)
