"""The command line options, one group of `pytest --help`, and what they mean as one frozen record."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cases.recipe import SCALES
from bench.data import locations
from bench.data.folder import expanded, typed_path, typed_text
from bench.data.locations import Locations
from bench.engines import ENGINES, LOCAL, EngineChoice
from bench.plugin.state import under_xdist
from bench.records import addresses, baseline
from bench.reporting.files import tensorboard
from bench.reporting.plan import devices
from bench.session import selection
from bench.session.settings import BASELINE_MODES, CONFIRM, Settings
from bench.training.device import DEVICES, check_sharing, default_scale

if TYPE_CHECKING:
    import pytest

PLANNED_FOR = ("cpu", "NVIDIA A100")


def add(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup(
        "actbench",
        "actbench: activation functions, trained and judged; pytest's own --strict makes MOVED and IMPROVED fail "
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
        type=typed_path,
        metavar="DIR",
        help="data in the hub's layout, DIR/ylecun/mnist/..., or torchvision's, DIR/MNIST/raw; or ACTBENCH_DATA",
    )
    option("--timit", type=typed_path, metavar="DIR", help="your copy of TIMIT: the folder with TRAIN and TEST")
    option(
        "--bert",
        type=typed_text,
        metavar="PATH",
        help="a pretrained BERT in the place of the recipe's: a folder, or a name of the hub",
    )
    option("--text", type=typed_path, metavar="FILE", help="a text to learn, character by character; packed or not")
    option("--vectors", type=typed_path, metavar="FILE", help="word vectors in the text format of word2vec or GloVe")
    option(
        "--results-dir",
        type=typed_path,
        metavar="DIR",
        default=Path("results"),
        help="records and rankings; results/ unless given; a session replaces the tables of the one before, "
        "keeps the other runs in runs/ and adds to history.jsonl",
    )
    option(
        "--report",
        type=typed_path,
        metavar="DIR",
        help="write DIR/index.html at the end: verdicts, rankings, pictures, every run; opens without a network",
    )
    option(
        "--resume",
        action="store_true",
        help="reuse records of the results folder that are equal in everything",
    )
    option("--tensorboard", type=typed_path, metavar="DIR", help="also write curves and metrics for TensorBoard")
    option("--gradients", action="store_true", help="keep the norm of every layer's gradient along each run")
    option(
        "--graph",
        action="store_true",
        help="on a card, capture a run's training step in a CUDA graph and replay it: faster where networks are small",
    )
    option("--record", action="store_true", help="record baselines instead of judging, 20 seeds a case at tiny")
    option(
        "--confirm",
        type=_not_negative,
        metavar="N",
        help="fresh seeds at most for a suspicious case before it may fail, 0 for none; unless given, "
        + ", ".join(f"{seeds} at {scale}" for scale, seeds in CONFIRM.items()),
    )
    option(
        "--baseline",
        choices=BASELINE_MODES,
        default="check",
        help="check: a case without a baseline passes as NEW; require: it fails; ignore: nothing is judged",
    )
    option(
        "--baseline-dir",
        type=typed_text,
        metavar="DIR",
        default=baseline.FOLDER,
        help="baselines of your own: a folder, or an address such as s3://bucket/rows or hf://datasets/me/rows",
    )
    option(
        "--activation",
        action="append",
        metavar="A,B",
        help="exactly these, whether the experiment lists them or not; file.py:name adds one of your own",
    )
    option(
        "--peers",
        action="store_true",
        help="also time and count what is marked as beside torch, torch-activation, timm and transformers",
    )
    option(
        "--shard",
        "--share",
        type=typed_text,
        metavar="I/N",
        help="the I-th of N about equal parts of the cases, the same ones at every call",
    )
    option(
        "--engine",
        metavar="NAME[:ADDRESS]",
        default=LOCAL,
        help=f"where cases are trained, of {', '.join(ENGINES)}: ray makes a cluster of this machine, ray:HOST:PORT "
        "joins one that is there",
    )
    option(
        "--gpus-per-run",
        type=_above_zero,
        metavar="N",
        help="cards that a run on a cluster takes, 0.25 for four runs a card; 1 unless given, where there are cards",
    )
    option("--engine-accelerator", metavar="MODEL", help="the one model of card to use, of a cluster with several")
    option(
        "--probe",
        action="store_true",
        help="train nothing: compare the first steps of each case in float64 with those recorded; needs no data, and "
        "means the same on every machine; with --record, record them",
    )
    option(
        "--plan",
        action="store_true",
        help="train nothing: print what the selection would cost in steps, FLOPs, memory and hours, and write plan.csv",
    )
    option(
        "--difference",
        type=_above_zero,
        default=1.0,
        metavar="D",
        help="that --plan counts the seeds for: points of accuracy, or per cent of a loss; 1 unless given",
    )
    option("--on", action="append", metavar="A,B", help=f"devices to plan for, of {', '.join(devices.NAMES)}")
    for axis in selection.SELECTABLE:
        if axis != "activation":
            option(f"--{axis}", action="append", metavar="A,B", help=f"exactly these values of the {axis} axis")


def read(config: pytest.Config) -> Settings:
    """The settings of a session.

    Raises:
        ValueError: a name or a folder that does not exist, or more workers than a card can serve.
    """
    option = config.getoption
    fetched = getattr(config, "workerinput", {}).get("actbench_baselines")  # once a session, not by every worker
    baseline_dir = Path(fetched or addresses.local(option("--baseline-dir"))).absolute()
    if option("--record") and addresses.is_address(baseline_dir):
        there = f"--baseline-dir {shlex.quote(addresses.typed(baseline_dir))}"
        raise ValueError(
            f"--record writes into a folder, not with {there}; run without it, then: python -m bench accept "
            f"{shlex.quote(str(option('--results-dir')))} {there}"
        )
    if option("--record") and baseline_dir == baseline.PACKAGED:
        raise ValueError(f"--record would write into the installed package, {baseline_dir}; give --baseline-dir DIR")
    if option("--record"):
        _folder(config, "--baseline-dir")
    elif not baseline_dir.is_dir():
        raise ValueError(f"--baseline-dir {baseline_dir}: no such folder; make it with --record")
    if option("--plan") and option("--probe"):
        raise ValueError("--plan trains nothing and takes no probes; give --plan or --probe")
    if option("--plan") and option("--record"):
        raise ValueError("--plan trains nothing that --record could write; give one of them")
    if option("--tensorboard"):
        tensorboard.require()
    engine = EngineChoice.parse(option("--engine"), option("--gpus-per-run"), option("--engine-accelerator"))
    if engine.name != LOCAL and under_xdist(config):
        raise ValueError(f"--engine {engine.name} runs cases side by side itself: leave -n out")
    trains = not any(option(name) for name in ("--plan", "--probe", "--collect-only"))
    if trains and option("--device") in ("auto", "cuda") and getattr(config.option, "numprocesses", None):
        check_sharing(len(config.option.tx))  # as xdist has counted them, --maxprocesses included; None in a worker
    scale, confirm = option("--scale") or default_scale(option("--device")), option("--confirm")
    return Settings(
        scale=scale,
        seeds=option("--seeds"),
        device=option("--device"),
        where=_locations(config),
        results_dir=_folder(config, "--results-dir"),
        report=_folder(config, "--report") if option("--report") else None,
        baseline_dir=baseline_dir,
        baseline_mode=option("--baseline"),
        resume=option("--resume"),
        gradients=option("--gradients"),
        graph=option("--graph"),
        record=option("--record"),
        confirm=CONFIRM[scale] if confirm is None else confirm,
        strict=bool(config.getini("strict")),
        peers=option("--peers"),
        choice=selection.choose({axis: option(f"--{axis}") for axis in selection.SELECTABLE}),
        shard=selection.Shard.parse(option("--shard")) if option("--shard") else None,
        plan=option("--plan"),
        probe=option("--probe"),
        difference=option("--difference"),
        tensorboard=_folder(config, "--tensorboard") if option("--tensorboard") else None,
        on=tuple(dict.fromkeys(devices.find(name) for name in ",".join(option("--on") or PLANNED_FOR).split(","))),
        start=_start(config),
        engine=engine,
    )


def _start(config: pytest.Config) -> str:
    """What was typed before the options: `pytest bench`, or where a user's own experiments are and by what they run."""
    typed = config.args if config.args_source is config.ArgsSource.ARGS else []
    plugin = ["-p bench.plugin"] if "bench.plugin" in (config.option.plugins or []) else []
    return " ".join(["pytest", *(["--pyargs"] if config.option.pyargs else []), *map(shlex.quote, typed), *plugin])


def _locations(config: pytest.Config) -> Locations:
    """Raises ValueError where something that was given is not there."""

    def there(option: str, path: Path | None) -> Path | None:
        if path is None:
            return None
        place = expanded(path)
        if not place.exists():
            dangling = f", but a link to {os.readlink(place)}" if place.is_symlink() else ""
            raise ValueError(f"{option} {path}: no such file or folder{dangling}")
        return place.resolve()

    bert = config.getoption("--bert")
    return Locations(
        data_dir=there("--data-dir (or ACTBENCH_DATA)", locations.data_dir(config.getoption("--data-dir"))),
        timit=there("--timit", config.getoption("--timit")),
        vectors=there("--vectors", config.getoption("--vectors")),
        bert=str(expanded(bert).resolve()) if bert and expanded(bert).exists() else bert,
        text=there("--text", config.getoption("--text")),
    )


def _folder(config: pytest.Config, option: str) -> Path:
    """Raises ValueError where a folder cannot be made there, before hours are spent on what it is to hold."""
    folder: Path = expanded(config.getoption(option)).absolute()
    nearest = next(path for path in (folder, *folder.parents) if path.exists() or path.is_symlink())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        reason = "may not be written to" if nearest.is_dir() else "is no folder"
        reason = f"is a link to {os.readlink(nearest)}, which is not there" if not nearest.exists() else reason
        raise ValueError(f"{option} {folder}: {nearest} {reason}; give another place")
    return folder


def _positive(text: str) -> int:
    return int(_checked(text, int, 1))


def _not_negative(text: str) -> int:
    return int(_checked(text, int, 0))


def _above_zero(text: str) -> float:
    return _checked(text, float, sys.float_info.min)


def _checked(text: str, kind: type[int] | type[float], least: float) -> float:
    """argparse shows the message of this error alone."""
    try:
        number = kind(text)
    except ValueError:
        number = math.nan
    if least <= number < math.inf:
        return number
    wanted = "a number above 0" if kind is float else f"a whole number of at least {least}"
    raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
