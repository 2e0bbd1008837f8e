"""What is recorded in a baseline folder, each kind of file read once: `Recorded(folder).compared(probe)`."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bench.records import baseline, data_probes, probes, quarantine, reported
from bench.records.data_probes import DataKey, DataProbe
from bench.records.probes import Probe, ProbeKey
from bench.records.quarantine import Place, Quarantine
from bench.records.record import Key
from bench.records.reported import Reported

if TYPE_CHECKING:
    from bench.cases.recipe import Recipe
    from bench.stats.moderated import Prior


class Recorded:
    """What a session is judged by."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self) -> None:
        """Read everything now, once, and not when the first case has been trained.

        Raises:
            BaselineError: a file that cannot be read, or a row that is none; the message names file and line.
        """
        _ = self.baselines, self.probes, self.data_probes, self.quarantine, self.figures

    @cached_property
    def baselines(self) -> dict[Key, baseline.Baseline]:
        return baseline.read(self._folder)

    @cached_property
    def probes(self) -> dict[ProbeKey, Probe]:
        return probes.read(self._folder)

    @cached_property
    def data_probes(self) -> dict[DataKey, DataProbe]:
        return data_probes.read(self._folder)

    @cached_property
    def quarantine(self) -> dict[Place, Quarantine]:
        return quarantine.read(self._folder)

    @cached_property
    def figures(self) -> Reported:
        """The literature's."""
        return reported.read(self._folder)

    def compared(self, probe: Probe, data: DataProbe | None = None) -> tuple[str, str]:
        """Verdict and reason of a probe, and of that of the data where it is at hand and recorded."""
        from bench.regression import probes as compared

        recorded = self.probes.get(probe.key)
        if recorded is None:
            return "NEW", "no probe of this case, scale and recipe version is recorded"
        difference = compared.first_difference(recorded, probe)
        if data and (known := self.data_probes.get(data.key)):
            difference = difference or compared.first_difference_of_data(known, data)
        return ("CHANGED", difference) if difference else ("SAME", "the first steps are as recorded")

    def of_runs(self, key: Key, recipe: Recipe) -> tuple[baseline.Baseline | None, Prior | None]:
        """The baseline of a key, and what the spreads of its block say about its own."""
        from bench.records.case_runs import step_of
        from bench.regression import judge

        found = self.baselines.get(key)
        if found is None:
            return None, None
        pool = [row for row in self.baselines.values() if row.key.pool == key.pool]
        return found, judge.prior_of(pool, step_of(found.metric, key.case.dataset, recipe.test_size))
