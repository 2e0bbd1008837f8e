"""Runner: from a case to its result. `Runner(settings).run(case, experiment)`.

This is the only door between the plugin and the training: records of a case, please. What stands behind it
(this process, later a cluster) is nobody else's business.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeAlias

from bench.cases.case import Case, Experiment
from bench.data import DataError, info
from bench.records import baseline, code, data_probes, probes, quarantine, record, reported
from bench.records.data_probes import DataKey, DataProbe
from bench.records.probes import Probe, ProbeKey
from bench.records.quarantine import Place, Quarantine
from bench.records.record import Key, Record, ResultsError
from bench.records.reported import Reported
from bench.records.result import Result
from bench.records.verdict import fails, worst
from bench.session import failures
from bench.session.settings import Settings
from bench.training import out_of_memory
from bench.training.out_of_memory import OutOfMemoryError

if TYPE_CHECKING:
    import torch

    from bench.cases.recipe import Recipe
    from bench.regression.judge import Judgement
    from bench.stats.moderated import Prior
    from bench.training.probe import FirstSteps

# (case, seed, epoch, epochs at most, training loss, share of the case's runs that is done)
Progress: TypeAlias = Callable[[Case, int, int, int, float, float], None]


class Runner:
    """What all cases of one process share: settings, device, and what is recorded.

    Attributes:
        cases: selected in all shards together, which share the level of false alarms.
        progress: told how far a run has come; None tells nobody.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.cases = 1
        self.progress: Progress | None = None
        self._known: dict[tuple[object, ...], tuple[FirstSteps, FirstSteps]] = {}
        self._known_data: dict[tuple[object, ...], DataProbe] = {}

    def read_recorded(self) -> None:
        """Read what is recorded now, once, and not when the first case has been trained.

        Raises:
            BaselineError: a file that cannot be read, or a row that is none; the message names file and line.
        """
        _ = self.baselines, self.probes, self.data_probes, self.quarantine, self.figures

    @cached_property
    def device(self) -> torch.device:
        """Raises ValueError where this machine lacks the device."""
        from bench.training.device import resolve

        return resolve(self.settings.device)

    @cached_property
    def baselines(self) -> dict[Key, baseline.Baseline]:
        return baseline.read(self.settings.baseline_dir)

    @cached_property
    def probes(self) -> dict[ProbeKey, Probe]:
        return probes.read(self.settings.baseline_dir)

    @cached_property
    def data_probes(self) -> dict[DataKey, DataProbe]:
        return data_probes.read(self.settings.baseline_dir)

    @cached_property
    def quarantine(self) -> dict[Place, Quarantine]:
        return quarantine.read(self.settings.baseline_dir)

    @cached_property
    def figures(self) -> Reported:
        """The literature's."""
        return reported.read(self.settings.baseline_dir)

    def run(self, case: Case, experiment: Experiment) -> Result:
        """Train a case and judge it, with fresh seeds while it looks suspicious.

        A record that cannot be written, and a run for which there is no memory, fail the case, with the numbers of its
        runs in the message.

        Raises:
            DataError, OutOfMemoryError, ResultsError, ValueError: it cannot be trained at all.
        """
        settings = self.settings
        recipe = experiment.recipe(case, self.settings.scale)
        wanted = settings.seeds or (recipe.recorded_seeds if settings.record else recipe.seeds)
        trained: list[Record] = []
        troubles: list[ResultsError | OutOfMemoryError] = []

        def train(seeds: Sequence[int]) -> list[Record]:
            trained.extend(fresh := list(self._records(case, recipe, seeds, troubles)))
            if not trained:
                raise troubles[0]
            return fresh

        if settings.record or settings.baseline_mode == "ignore":
            verdict = "RECORDED" if settings.record else "IGNORED"
            records = tuple(train(range(wanted)))
            result = Result(case, records, verdict, "nothing was judged", failed=False)
            if settings.record:
                result = replace(result, probe=self._to_record(case, recipe), data_probe=self._data(case, recipe))
        else:
            result = self._spared(self._judged(case, recipe, wanted, train))
        result = replace(result, views=(*experiment.views, *(["gradients"] if settings.gradients else [])))
        if troubles:
            message = f"{troubles[0]}\nnot lost: {result.line}\n{result.message}"
            result = replace(result, failed=True, message=message)
        return result

    def probed(self, case: Case, experiment: Experiment) -> Result:
        """Compare a case's first steps in float64 with those recorded, and train nothing.

        Raises:
            DataError, ValueError: it cannot be built.
        """
        settings = self.settings
        recipe = experiment.recipe(case, settings.scale)
        probe = self._to_record(case, recipe) if settings.record else self._probe(case, recipe)
        data = self._data_at_hand(case, recipe)
        if settings.record or settings.baseline_mode == "ignore":
            verdict = "RECORDED" if settings.record else "IGNORED"
            return Result(case, (), verdict, "nothing was judged", failed=False, probe=probe, data_probe=data)
        verdict, reason = self._compared(probe, data)
        failed = fails(verdict, require=settings.require)
        result = Result(case, (), verdict, reason, failed=failed, probe=probe, data_probe=data)
        return self._spared(
            replace(result, message=failures.of_first_steps(result, self.settings)) if result.failed else result
        )

    def _spared(self, result: Result) -> Result:
        """A result that does not fail where its case is in quarantine."""
        from bench.training.fingerprint import device_class

        entry = self.quarantine.get(Place(result.case, self.settings.scale, device_class(self.device)))
        if entry is None:
            return result
        return replace(result, failed=False, quarantine=str(entry), reason=f"{entry}; {result.reason}")

    def probed_as(self, case: Case, trained: Case, recipe: Recipe) -> tuple[str, str]:
        """Verdict and reason of the first steps of one case, as if they were those of another.

        Raises:
            DataError, ValueError: it cannot be built.
        """
        probe = self._probe(trained, recipe)
        return self._compared(replace(probe, key=probe.key._replace(case=case)))

    def _probe(self, case: Case, recipe: Recipe) -> Probe:
        from bench.training import probe

        return probe.take_probe(case, recipe, self.settings.scale, self.device, known=self._known)

    def _to_record(self, case: Case, recipe: Recipe) -> Probe:
        from bench.regression.probes import with_tolerances
        from bench.training import probe

        nudged = probe.take_probe(case, recipe, self.settings.scale, self.device, nudged=True, known=self._known)
        return with_tolerances(self._probe(case, recipe), nudged)

    def _data(self, case: Case, recipe: Recipe) -> DataProbe:
        from bench.training import data_probe

        return data_probe.take_data_probe(case, recipe, self.device, self.settings.where, self._known_data)

    def _data_at_hand(self, case: Case, recipe: Recipe) -> DataProbe | None:
        """None for what would have to be downloaded first, or is not in the folder given."""
        from bench.data.locations import data_dir

        if info(case.dataset).hub and not data_dir(self.settings.where.data_dir):
            return None
        try:
            return self._data(case, recipe)
        except DataError:
            return None

    def _compared(self, probe: Probe, data: DataProbe | None = None) -> tuple[str, str]:
        """Verdict and reason of a probe, and of that of the data where it is at hand and recorded."""
        from bench.regression import probes as compared

        recorded = self.probes.get(probe.key)
        if recorded is None:
            return "NEW", "no probe of this case, scale and recipe version is recorded"
        difference = compared.first_difference(recorded, probe)
        if data and (known := self.data_probes.get(data.key)):
            difference = difference or compared.first_difference_of_data(known, data)
        return ("CHANGED", difference) if difference else ("SAME", "the first steps are as recorded")

    def _judged(
        self, case: Case, recipe: Recipe, wanted: int, train: Callable[[Sequence[int]], list[Record]]
    ) -> Result:
        from bench.regression import judge

        unused = itertools.count()

        def more(seeds: int) -> list[Record]:
            return train(list(itertools.islice(unused, seeds)))

        records = more(wanted)
        key = records[0].key
        found, spread = self._recorded(key, recipe)
        strict, require = self.settings.strict, self.settings.require
        probe, data = self._probe(case, recipe), self._data(case, recipe)
        of_probe, difference = self._compared(probe, data)
        stages = judge.stages(0 if of_probe == "CHANGED" else self.settings.confirm)  # it fails whatever they show
        records, judgement = judge.in_stages(records, more, found, spread, self.cases, stages, strict=strict)
        reason = judgement.reason if found else f"{judgement.reason}; {failures.nearest(key, self.baselines.values())}"
        verdict = judgement.verdict
        if of_probe == "CHANGED" or (of_probe == "NEW" and require):
            verdict, reason = worst([verdict, of_probe]), f"{difference}; {reason}"
        result = Result(case, tuple(records), verdict, reason, failed=False, probe=probe, data_probe=data)
        if not fails(
            verdict, strict=strict, require=require and (of_probe == "NEW" or baseline.has_device(self.baselines, key))
        ):
            return result
        return replace(
            result,
            failed=True,
            message=failures.of_runs(result, self.settings, judgement.difference, wanted, self.cases),
        )

    def judge_as(self, case: Case, trained: Case, experiment: Experiment, seeds: int) -> Judgement:
        """Train one case and judge it, alone and at once, as if it were another. Nothing is written.

        Raises:
            DataError, ValueError: it cannot be trained at all.
        """
        from bench.regression import judge
        from bench.training import train

        recipe = experiment.recipe(trained, self.settings.scale)  # what one activation alone takes is not for another
        runs = train.run(trained, recipe, self.settings.scale, range(seeds), self.device, self.settings.where)
        records = [replace(one, case=case) for one in runs]
        found, spread = self._recorded(records[0].key, recipe)
        return judge.judge(records, found, spread, cases=1)

    def _recorded(self, key: Key, recipe: Recipe) -> tuple[baseline.Baseline | None, Prior | None]:
        """The baseline of a key, and what the spreads of its block say about its own."""
        from bench.records.case_runs import step_of
        from bench.regression import judge

        found = self.baselines.get(key)
        if found is None:
            return None, None
        pool = [row for row in self.baselines.values() if row.key.pool == key.pool]
        return found, judge.prior_of(pool, step_of(found.metric, key.case.dataset, recipe.test_size))

    def _records(
        self, case: Case, recipe: Recipe, seeds: Sequence[int], troubles: list[ResultsError | OutOfMemoryError]
    ) -> Iterator[Record]:
        """Of these seeds, but for those for which there is no memory: these are among the troubles."""
        from bench.training import train

        settings = self.settings
        known = [self._resumed(case, recipe, seed) for seed in seeds] if settings.resume else []
        reused = {one.seed: one for one in known if one is not None}
        yield from reused.values()
        missing = [seed for seed in seeds if seed not in reused]

        def progress(seed: int, epoch: int, epochs: int, loss: float) -> None:
            if self.progress:
                self.progress(case, seed, epoch, epochs, loss, (missing.index(seed) + epoch / epochs) / len(missing))

        for seed in missing:
            run = train.run(
                case, recipe, settings.scale, [seed], self.device, settings.where, progress, settings.gradients
            )
            try:
                one = out_of_memory.named(f"seed {seed}", partial(next, run))
            except OutOfMemoryError as error:
                troubles.append(error)
                continue
            try:
                record.save(one, settings.results_dir)
            except ResultsError as error:
                troubles.append(error)
            yield one

    def _resumed(self, case: Case, recipe: Recipe, seed: int) -> Record | None:
        """The record of an earlier session, if nothing that fixes its numbers has changed and it lacks nothing."""
        from bench.training import fingerprint, train

        settings = self.settings
        data_hash, taken = train.environment(case, recipe, self.device, settings.where)
        key = Key(case, settings.scale, recipe.version, data_hash, fingerprint.device_class(self.device))
        found = record.load(record.path_of(key, seed, settings.results_dir))
        if found is None or found.key != key or (settings.gradients and not found.gradients):
            return None
        return found if (found.fingerprint, found.code) == (taken, code.code_of(case.experiment)) else None
