"""Record: what one run (a case with one seed) leaves, as builtin types, and its file in the results folder."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias
from urllib.parse import quote

from bench.cases.case import Case
from bench.records import conform

Outcome: TypeAlias = Literal["diverged", "collapsed", "trained"]
OUTCOMES: tuple[Outcome, ...] = ("diverged", "collapsed", "trained")  # from worst to best
OWN_CODE = "own_code"  # of a fingerprint: what a user's own activation was made of
Bits: TypeAlias = tuple[str, str, Outcome]
_NUMBERS = ("metrics", "curves", "functions", "gradients")
_RECIPE = ("version", "metric", "aggregate", "learning_rate", "train_size", "validation_size", "test_size")


def bits_of(digest: str, value: float, outcome: Outcome) -> Bits:
    """What two runs that are the same have in common: of training the digest; of evaluation, which may break alone,
    value and outcome. NaN equals itself here.
    """
    return digest, repr(float(value)), outcome


class ResultsError(RuntimeError):
    """The results folder cannot be written or read; the message names the file and the remedy."""


class Key(NamedTuple):
    """What must be equal for a record and a baseline to be compared. Values, never pytest's node ids."""

    case: Case
    scale: str
    recipe_version: int
    data_hash: str
    device_class: str

    @property
    def pool(self) -> tuple[Any, ...]:
        """Shared by the activations of a block: their spreads inform each other."""
        return (self.case.block, *self[1:])


@dataclass(frozen=True)
class Record:
    """One run.

    Attributes:
        case: what was trained.
        scale: `tiny`, `small` or `paper`.
        seed: of every random stream of the run.
        recipe: its fields, as they took effect on the device.
        data_hash: of the whole data set.
        device_class: see `fingerprint.device_class`.
        fingerprint: see `fingerprint.take`.
        outcome: `diverged` (a loss not finite), `collapsed` (no better than guessing) or `trained`.
        metrics: fractions, losses, `epochs_to_stop`; validation metrics are those of the epoch whose weights are kept;
            with gradients also their `vanishing_ratio`.
        curves: one value an epoch: `{train,validation}_{loss,accuracy}`.
        functions: what each site computes, see `learned_functions.Functions`; empty unless the recipe keeps them.
        digest: of the final weights and the training loss curve.
        seconds: spent in training steps, evaluation left out.
        seconds_to_target: until the target accuracy was first seen on the validation part; None if never.
        bytes_saved: kept for backward by one training batch, parameters left out.
        peak_bytes: of the CUDA allocator during training, without what it held before; None elsewhere.
        num_parameters: trainable ones, those of the activations among them.
        date: when the run ended, UTC, ISO 8601.
        gradients: L2 norm of the gradient of each layer, by name and from the input to the output, at each of
            `gradient_steps`, see `gradient_norms.Gradients`; empty unless asked for.
        gradient_steps: numbers of the optimizer's steps, from 1.
        code: what it was made by, see `bench.records.code`; empty where that is not known, as of old records.
    """

    case: Case
    scale: str
    seed: int
    recipe: dict[str, Any]
    data_hash: str
    device_class: str
    fingerprint: dict[str, Any]
    outcome: Outcome
    metrics: dict[str, float]
    curves: dict[str, list[float]]
    functions: dict[str, list[list[float]]]
    digest: str
    seconds: float
    seconds_to_target: float | None
    bytes_saved: int
    peak_bytes: int | None
    num_parameters: int
    date: str
    gradients: dict[str, list[float]] = field(default_factory=dict)
    gradient_steps: list[int] = field(default_factory=list)
    code: str = ""

    @property
    def key(self) -> Key:
        """Under which it is compared."""
        return Key(self.case, self.scale, int(self.recipe["version"]), self.data_hash, self.device_class)

    @property
    def value(self) -> float:
        """The judged metric."""
        return self.metrics[self.recipe["metric"]]

    @property
    def bits(self) -> Bits:
        """See `bits_of`."""
        return bits_of(self.digest, self.value, self.outcome)

    def to_builtin(self) -> dict[str, Any]:
        """As nested dicts and lists of builtin values, the only ones that cross from xdist's workers."""
        plain: dict[str, Any] = builtin(asdict(self))
        return plain

    @staticmethod
    def from_builtin(fields: Mapping[str, Any]) -> Record:
        """The inverse of `to_builtin`; numbers that JSON cannot hold come back as NaN."""
        numbers = {name: _numbers(fields[name]) for name in _NUMBERS if name in fields}  # old records lack gradients
        return Record(**{**fields, "case": Case(**fields["case"]), **numbers})


def builtin(value: Any) -> Any:
    """The one gate to xdist's wire and to JSON: numpy and torch scalars become builtin ones.

    A subclass of float such as numpy.float64 kills xdist's controller and with it the results of all workers.

    Raises:
        TypeError: a value that has no builtin form.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        return {str(key): builtin(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [builtin(item) for item in value]
    for kind in (bool, int, float, str):  # before item(): a subclass is a value too
        if isinstance(value, kind):
            return kind(value)
    if hasattr(value, "item"):
        return builtin(value.item())
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot cross from a worker; use int, float or str")


def finite(value: Any) -> Any:
    """Dicts and lists with null in the place of what strict JSON cannot hold: NaN and infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list) else value


def _numbers(value: Any) -> Any:
    """The inverse of `finite`; which of the numbers it was that are none is lost."""
    if value is None:
        return math.nan
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    return [_numbers(item) for item in value] if isinstance(value, list) else value


def to_json(record: Record) -> str:
    """One line of strict JSON."""
    return json.dumps(finite(record.to_builtin()), allow_nan=False)


def path_of(key: Key, seed: int, results_dir: Path) -> Path:
    """The file of a run: one a key and seed, so that no two workers, cards or copies of the data write the same."""
    environment = f"v{key.recipe_version}-{in_file_name(key.data_hash)}-{in_file_name(key.device_class)}"
    return results_dir / "runs" / f"{key.case.id}-{key.scale}-{environment}-seed{seed}.json"


def run_name(case: Case, scale: str, version: int, seed: int) -> str:
    """A run by what is known of it before its data and device are."""
    return f"{case.id}-{scale}-v{version}-seed{seed}"


def files_by_run(results_dir: Path) -> dict[str, list[Path]]:
    """All files of runs, by `run_name`."""
    found: dict[str, list[Path]] = {}
    for path in sorted((results_dir / "runs").glob("*.json")):
        words = path.stem.rsplit("-", 3)  # between the first and the last stand data and device
        found.setdefault(f"{words[0]}-{words[-1]}", []).append(path)
    return found


def in_file_name(word: str) -> str:
    """A word as a part of a file's name on any system, and another one for every other word: `a b/c` is `a%20b%2Fc`."""
    return quote(word, safe="")


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, in UTF-8; names of files that are in no encoding stay as they are."""
    write_bytes(path, text.encode(errors="surrogateescape"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all.

    Raises:
        ResultsError: the folder cannot be written, or the disk is full.
    """
    beside = path.with_name(f".{uuid.uuid4().hex}")  # process ids of two machines may be equal; a name may be long
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise ResultsError(f"cannot write {path}: {error.strerror}; make room there or give another place") from error


def save(record: Record, results_dir: Path) -> None:
    """Write a record to its file, atomically: a killed session loses at most the runs under way."""
    write_text(path_of(record.key, record.seed, results_dir), to_json(record) + "\n")


def load(path: Path) -> Record | None:
    """The record of a file, or None where there is none.

    Raises:
        ResultsError: the file is not a record.
    """
    try:
        found = Record.from_builtin(json.loads(path.read_text(encoding="utf-8-sig")))
        _check(found)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ResultsError(f"{path} is not a record ({error!r}); delete it and run again") from error
    return found


def _check(found: Record) -> None:
    """Raises ValueError where something is not of its type, or what every reader takes for granted is not there."""
    conform.check_types(found)
    wanted = {"recipe": _RECIPE, "metrics": [found.recipe.get("metric")], "curves": ["train_loss"]}
    for name, needed in wanted.items():
        if missing := [str(one) for one in needed if one not in getattr(found, name)]:
            raise ValueError(f"{name} without {', '.join(missing)}")
    if type(found.recipe["version"]) is not int:
        raise ValueError(f"version is {found.recipe['version']!r} and not int")
