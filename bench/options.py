"""The command line options, one group of `pytest --help`, and what they mean as one frozen record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench import baseline, selection
from bench.data import locations
from bench.data.locations import Locations
from bench.device import DEVICES, default_scale
from bench.plan import devices
from bench.recipe import SCALES

if TYPE_CHECKING:
    import pytest

BASELINE_MODES = ("check", "require", "ignore")


@dataclass(frozen=True)
class Settings:
    """What the command line asks of a session.

    `seeds` is None where the recipe's own number holds; `on` names the devices that `plan` is for.
    """

    scale: str
    seeds: int | None
    device: str
    where: Locations
    results_dir: Path
    baseline_dir: Path
    baseline_mode: str
    resume: bool
    gradients: bool
    record: bool
    strict: bool
    peers: bool
    choice: selection.Choice
    share: selection.Share | None
    plan: bool
    on: tuple[str, ...]

    @property
    def require(self) -> bool:
        """Whether a case without a baseline fails."""
        return self.baseline_mode == "require"


def add(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup(
        "actbench",
        "actbench: activation functions, trained and judged; pytest's own --strict makes CHANGED and IMPROVED fail "
        "too, since what changed must be recorded",
    )
    option = group.addoption
    option("--scale", choices=SCALES, help="how much to train: tiny on a CPU, small on CUDA unless given")
    option(
        "--seeds",
        type=_positive,
        metavar="N",
        help="runs a case; unless given, as many as its recipe says (3 at tiny)",
    )
    option("--device", choices=DEVICES, default="auto", help="auto takes CUDA, then MPS, then the CPU")
    option(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="data in the hub's layout, DIR/ylecun/mnist/...; or ACTBENCH_DATA",
    )
    option("--timit", type=Path, metavar="DIR", help="your copy of TIMIT: the folder with TRAIN and TEST")
    option(
        "--bert", metavar="PATH", help="a pretrained BERT in the place of the recipe's: a folder, or a name of the hub"
    )
    option("--vectors", type=Path, metavar="FILE", help="word vectors in the text format of word2vec or GloVe")
    option(
        "--results-dir",
        type=Path,
        metavar="DIR",
        default=Path("results"),
        help="records and rankings; results/ unless given",
    )
    option(
        "--resume",
        action="store_true",
        help="reuse records of the results folder that are equal in everything",
    )
    option("--gradients", action="store_true", help="keep the norm of every layer's gradient along each run")
    option("--record", action="store_true", help="record baselines instead of judging, 20 seeds a case at tiny")
    option(
        "--baseline",
        choices=BASELINE_MODES,
        default="check",
        help="check: a case without a baseline passes as NEW; require: it fails; ignore: nothing is judged",
    )
    option("--baseline-dir", type=Path, metavar="DIR", default=baseline.FOLDER, help="baselines of your own")
    option(
        "--activation",
        metavar="A,B",
        help="exactly these, whether the experiment lists them or not; file.py:name adds one of your own",
    )
    option(
        "--peers",
        action="store_true",
        help="also time and count what is marked as beside torch, torch-activation, timm and transformers",
    )
    option(
        "--share",
        metavar="I/N",
        help="the I-th of N about equal shares of the cases, the same ones at every call",
    )
    option(
        "--plan",
        action="store_true",
        help="train nothing: print what the selection would cost in steps, FLOPs, memory and hours, and write plan.csv",
    )
    option("--on", metavar="A,B", default="cpu,NVIDIA A100", help=f"devices to plan for, of {', '.join(devices.NAMES)}")
    for axis in selection.SELECTABLE:
        if axis != "activation":
            option(f"--{axis}", metavar="A,B", help=f"exactly these values of the {axis} axis")


def read(config: pytest.Config) -> Settings:
    """The settings of a session.

    Raises:
        ValueError: a name or a folder that does not exist.
    """
    option = config.getoption
    baseline_dir = option("--baseline-dir")
    if not baseline_dir.is_dir() and not option("--record"):
        raise ValueError(f"--baseline-dir {baseline_dir}: no such folder; make it with --record")
    if option("--plan") and option("--record"):
        raise ValueError("--plan trains nothing that --record could write; give one of them")
    return Settings(
        scale=option("--scale") or default_scale(option("--device")),
        seeds=option("--seeds"),
        device=option("--device"),
        where=_locations(config),
        results_dir=option("--results-dir").expanduser().absolute(),
        baseline_dir=baseline_dir.expanduser().absolute(),
        baseline_mode=option("--baseline"),
        resume=option("--resume"),
        gradients=option("--gradients"),
        record=option("--record"),
        strict=bool(config.getini("strict")),
        peers=option("--peers"),
        choice=selection.choose({axis: option(f"--{axis}") for axis in selection.SELECTABLE}),
        share=selection.Share.parse(option("--share")) if option("--share") else None,
        plan=option("--plan"),
        on=tuple(dict.fromkeys(devices.find(name) for name in option("--on").split(","))),
    )


def _locations(config: pytest.Config) -> Locations:
    """Raises ValueError where something that was given is not there."""

    def there(option: str, path: Path | None) -> Path | None:
        if path is not None and not path.expanduser().exists():
            raise ValueError(f"{option} {path}: no such file or folder")
        return path.expanduser().resolve() if path else None

    bert = config.getoption("--bert")
    return Locations(
        data_dir=there("--data-dir (or ACTBENCH_DATA)", locations.data_dir(config.getoption("--data-dir"))),
        timit=there("--timit", config.getoption("--timit")),
        vectors=there("--vectors", config.getoption("--vectors")),
        bert=str(Path(bert).expanduser().resolve()) if bert and Path(bert).expanduser().exists() else bert,
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(f"{text} is not 1 or more")
    return number
