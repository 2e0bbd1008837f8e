"""Settings: what a session was asked for, as one frozen record, read off the command line by `bench.plugin.options`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.data.locations import Locations
from bench.engines import EngineChoice
from bench.records import addresses, baseline
from bench.session import selection
from bench.session.commands import Commands

BASELINE_MODES = ("check", "require", "ignore")
# Fresh seeds of a suspicious case: all of judge.STAGES where a run takes seconds.
CONFIRM = {"tiny": 28, "small": 8, "paper": 4}


@dataclass(frozen=True)
class Settings:
    """What the command line asks of a session.

    `seeds` is None where the recipe's own number holds; `probe` asks for the first steps alone; `confirm` is how many
    fresh seeds a suspicious case gets at most; `on` names the devices that `plan` is for, `tensorboard` the folder of
    its events; `start` is what was typed before all options, such as `pytest bench`.
    """

    scale: str
    seeds: int | None
    device: str
    where: Locations
    results_dir: Path
    report: Path | None
    baseline_dir: Path
    baseline_mode: str
    resume: bool
    gradients: bool
    graph: bool
    record: bool
    confirm: int
    strict: bool
    peers: bool
    choice: selection.AxisChoice
    shard: selection.Shard | None
    plan: bool
    probe: bool
    difference: float
    on: tuple[str, ...]
    tensorboard: Path | None
    start: str
    engine: EngineChoice

    @property
    def require(self) -> bool:
        """Whether a case without a baseline fails."""
        return self.baseline_mode == "require"

    def selects(self, parameter: Any) -> bool:
        """Whether the axis options and `--shard` leave a case, a kernel or a test without either (None)."""
        return self.choice.allows(parameter) and (self.shard is None or self.shard.has(parameter))

    @staticmethod
    def _near(path: Path) -> Path:
        """As it is typed here."""
        return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

    @property
    def commands(self) -> Commands:
        """Those that run a part of the session again."""
        own = self.baseline_dir != baseline.FOLDER
        baselines = [f"--baseline-dir {shlex.quote(addresses.typed(self.baseline_dir))}"] if own else []
        device = [f"--device {self.device}"] if self.device != "auto" else []
        graph = ["--graph"] if self.graph else []
        judging = {
            "--baseline=require": self.require,
            "--strict": self.strict,
            f"--confirm {self.confirm}": self.confirm != CONFIRM[self.scale],
            f"--shard {self.shard}": self.shard is not None,
        }
        return Commands(
            self.scale,
            options=[*self.where.options, *baselines, *device, *graph],
            own=self.choice.own,
            judging=[option for option, matters in judging.items() if matters],
            start=self.start,
            accepting=" ".join([shlex.quote(str(self._near(self.results_dir))), *baselines]),
        )
