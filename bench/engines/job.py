"""Jobs: a run of a case, and its probes, as they are asked of whatever process has the code. `job.do(known)`.

A job and what comes of it cross to other processes as plain data; importing this module does not load torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data import DataError, info
from bench.data.locations import Locations, data_dir
from bench.records import code, probes
from bench.records.data_probes import DataProbe
from bench.records.probes import Probe
from bench.records.record import Key, Record
from bench.training import out_of_memory

if TYPE_CHECKING:
    import torch

    from bench.training.probe import FirstSteps

T_co = TypeVar("T_co", covariant=True)
Told: TypeAlias = Callable[["RunJob", int, int, float], None]  # a run, its epoch, epochs at most, training loss


@dataclass(frozen=True)
class Known:
    """What a process has taken so far, for cases that share it: first steps and data probes."""

    steps: dict[tuple[object, ...], tuple[FirstSteps, FirstSteps]] = field(default_factory=dict)
    data: dict[tuple[object, ...], DataProbe] = field(default_factory=dict)


@dataclass(frozen=True)
class BothProbes:
    """What is known of a case without training it.

    Attributes:
        data: None where the data is not at hand.
        device_class: of the device on which the first steps were taken.
    """

    probe: Probe
    data: DataProbe | None
    device_class: str

    def to_builtin(self) -> dict[str, Any]:
        """As rows of the files of probes; the inverse of `from_builtin`."""
        return {
            "probe": probes.to_row(self.probe),
            "layers": list(self.probe.layers),
            "data": self.data and self.data.to_row(),
            "device_class": self.device_class,
        }

    @staticmethod
    def from_builtin(fields: Mapping[str, Any]) -> BothProbes:
        probe = replace(probes.from_row(fields["probe"]), layers=tuple(fields["layers"]))
        return BothProbes(probe, fields["data"] and DataProbe.from_row(fields["data"]), fields["device_class"])


@dataclass(frozen=True)
class Job(ABC, Generic[T_co]):
    """What is asked for a case.

    Attributes:
        device: as `--device` says, of the machine that does it.
        where: likewise.
    """

    case: Case
    recipe: Recipe
    scale: str
    device: str
    where: Locations
    result: ClassVar[type[Any]]  # of which kind what comes of it is

    @property
    def key(self) -> tuple[Any, ...]:
        """Tells it from all other jobs of a session."""
        return type(self), self.case

    @property
    def name(self) -> str:
        """Within its case, for messages."""
        return "its data and first steps"

    def do(self, known: Known, told: Told | None = None) -> T_co:
        """Do it in this process.

        Raises:
            DataError: the data cannot be had.
            OutOfMemoryError: there is not enough memory.
            ValueError: it cannot be built, or there is no such device.
        """
        from bench.training.device import resolve

        return out_of_memory.named(self.name, lambda: self._done(resolve(self.device), known, told))

    @abstractmethod
    def _done(self, device: torch.device, known: Known, told: Told | None) -> T_co: ...

    def to_builtin(self) -> dict[str, Any]:
        """As builtin values, and paths; the inverse of `from_builtin`."""
        plain = {"case": self.case.fields, "recipe": self.recipe.fields, "where": vars(self.where)}
        return {**vars(self), **plain, "kind": type(self).__name__}

    @staticmethod
    def from_builtin(fields: Mapping[str, Any]) -> Job[Any]:
        own = {name: value for name, value in fields.items() if name != "kind"}
        own |= {"case": Case(**own["case"]), "recipe": Recipe(**own["recipe"]), "where": Locations(**own["where"])}
        if "earlier" in own:
            own["earlier"] = tuple(map(Record.from_builtin, own["earlier"]))
        return KINDS[fields["kind"]](**own)


@dataclass(frozen=True)
class RunJob(Job[Record]):
    """One run.

    Attributes:
        share: of its case, for the time left.
        gradients: whether the norms of every layer's are kept.
        graph: whether its steps are replayed in a CUDA graph.
        earlier: records of this run; one that is equal in all that fixes its numbers, and lacks nothing, stands for it.
    """

    seed: int
    share: float = 1.0
    gradients: bool = False
    graph: bool = False
    earlier: tuple[Record, ...] = ()
    result = Record

    @property
    def key(self) -> tuple[Any, ...]:
        return *super().key, self.seed

    @property
    def name(self) -> str:
        return f"seed {self.seed}"

    def _done(self, device: torch.device, known: Known, told: Told | None) -> Record:
        from bench.training import train

        if (found := self._as_earlier(device)) is not None:
            return found

        def progress(seed: int, epoch: int, epochs: int, loss: float) -> None:
            if told:
                told(self, epoch, epochs, loss)

        asked = (self.case, self.recipe, self.scale, [self.seed], device, self.where, progress)
        return next(train.run(*asked, self.gradients, self.graph))

    def _as_earlier(self, device: torch.device) -> Record | None:
        if not self.earlier:
            return None
        from bench.training import fingerprint, train

        data_hash, taken = train.environment(self.case, self.recipe, device, self.where, self.graph)
        key = Key(self.case, self.scale, self.recipe.version, data_hash, fingerprint.device_class(device))
        wanted = key, taken, code.code_of(self.case.experiment)
        fits = (one for one in self.earlier if (one.key, one.fingerprint, one.code) == wanted)
        return next((one for one in fits if one.gradients or not self.gradients), None)

    def to_builtin(self) -> dict[str, Any]:
        return {**super().to_builtin(), "earlier": [one.to_builtin() for one in self.earlier]}


@dataclass(frozen=True)
class ProbesJob(Job[BothProbes]):
    """The probes of a case.

    Attributes:
        to_record: whether the first steps come with their tolerances, which takes twice as long.
        downloads: whether data that is not at hand is fetched, as for a run; else it is not looked at.
    """

    to_record: bool = False
    downloads: bool = False
    result = BothProbes

    def _done(self, device: torch.device, known: Known, told: Told | None) -> BothProbes:
        from bench.regression.probes import with_tolerances
        from bench.training import fingerprint
        from bench.training.probe import take_probe

        take = partial(take_probe, self.case, self.recipe, self.scale, device, known=known.steps)
        probe = with_tolerances(take(), take(nudged=True)) if self.to_record else take()
        return BothProbes(probe, self._data(device, known), fingerprint.device_class(device))

    def _data(self, device: torch.device, known: Known) -> DataProbe | None:
        from bench.training.data_probe import take_data_probe

        if not self.downloads and info(self.case.dataset).hub and not data_dir(self.where.data_dir):
            return None
        try:
            return take_data_probe(self.case, self.recipe, device, self.where, known.data)
        except DataError:
            if self.downloads:
                raise
            return None


KINDS: Mapping[str, type[RunJob] | type[ProbesJob]] = {kind.__name__: kind for kind in (RunJob, ProbesJob)}
