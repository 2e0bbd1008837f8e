"""What selects, collects and reports loads no torch, which takes seconds; in a process of its own, since tests do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = """
import os, sys
for room in {rooms}:
    __import__(room)
    assert "torch" not in sys.modules, room
from bench.training import device
os.cpu_count = lambda: 6
assert device.default_scale("auto") == "tiny"
os.environ["CUDA_VISIBLE_DEVICES"] = "4,6"
device.pin_worker(1, 2)
assert "torch" not in sys.modules, "device"
print(os.environ["OMP_NUM_THREADS"], os.environ["CUDA_VISIBLE_DEVICES"])
"""
ROOMS = (
    "training.optimizers",
    "plugin.hooks",
    "experiments.test_mlp",
    "reporting.claims",
    "reporting.views",
    "__main__",
)


@pytest.mark.fresh_process
def test_what_selects_pins_and_reports_loads_no_torch(tmp_path: Path) -> None:
    without = {"OMP_NUM_THREADS", "MKL_NUM_THREADS"}
    environment = {name: value for name, value in os.environ.items() if name not in without}
    environment |= {"PATH": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""}  # no nvidia-smi, and no card
    code = CODE.format(rooms=[f"bench.{room}" for room in ROOMS])
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["3", "6"]
