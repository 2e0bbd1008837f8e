"""What there is: card, driver, torch with its libraries, and the versions of what the project declares."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import torch
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def cards() -> Iterator[str]:
    """A line each, as torch sees them, with what other processes have left of its memory."""
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        free, total = torch.cuda.mem_get_info(number)
        yield (
            f"{facts.name}, compute capability {facts.major}.{facts.minor}, {facts.multi_processor_count} "
            f"multiprocessors, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
        )


def driver() -> str:
    """Its version, as nvidia-smi tells it."""
    if not shutil.which("nvidia-smi"):
        return "no nvidia-smi"
    asked = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return next(iter(done.stdout.splitlines()), "unknown")


def version_of(distribution: str) -> str:
    """As it is installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def declared() -> list[Requirement]:
    """What the project depends on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [Requirement(one) for one in project["dependencies"]]


def main() -> int:
    """A line a fact; the last one says what matters most. 1 where a card is asked for and there is none."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    asked = parser.parse_args()
    found = list(cards())
    for number, card in enumerate(found):
        print(f"card {number}: {card}")
    cudnn = torch.backends.cudnn.version()
    versions = f"torch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {cudnn}, triton {version_of('triton')}"
    print(f"driver: {driver()}\n{versions}")
    print(f"python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores")
    lacking = ""
    for wanted in declared():
        here = version_of(wanted.name)
        print(f"{wanted}: {here}")
        if here == "not installed" or not wanted.specifier.contains(here, prereleases=True):
            lacking += f"; {wanted.name} {here}, declared {wanted.specifier}"
    print(f"{found[0] if found else 'no card that torch can use'}; driver {driver()}; {versions}{lacking}")
    return int(asked.device == "cuda" and not found)


if __name__ == "__main__":
    sys.exit(main())
