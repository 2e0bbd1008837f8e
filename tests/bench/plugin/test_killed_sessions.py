"""Sessions with two workers that are killed again and again, and resumed: no run is lost, none is made twice.

ACTBENCH_KILLS says how often.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from conftest import OF_THE_JOB

KILLS = int(os.environ.get("ACTBENCH_KILLS", "10"))
SEEDS = max(8, KILLS)  # so that runs are left when the last one is killed
CHOSEN = ("-k", "digits", "--seeds", str(SEEDS), "--baseline=ignore", "--resume", "-p", "no:cacheprovider")


@pytest.mark.slow
def test_runs_are_neither_lost_nor_doubled(micro):
    runs = micro.path / "results" / "runs"
    environment = {name: value for name, value in os.environ.items() if name not in OF_THE_JOB}

    def session(*more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pytest", *CHOSEN, *more]
        return subprocess.Popen(
            command, cwd=micro.path, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def there() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in runs.glob("*.json")} if runs.is_dir() else {}

    made: dict[str, int] = {}
    killed = 0
    while killed < KILLS and len(made) < 12 * SEEDS - 4:
        one = session("-n2")
        while one.poll() is None and len(there()) <= len(made):
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.3))
        if one.poll() is None:
            os.killpg(one.pid, signal.SIGKILL)
            killed += 1
        one.communicate()
        now = there()
        assert made.items() <= now.items()  # neither gone nor written anew
        assert all(json.loads((runs / name).read_text())["digest"] for name in now)
        made = now
    print(f"{killed} sessions killed, {len(made)} of {12 * SEEDS} runs were made by them")
    last = session("-n2")
    out, _ = last.communicate()
    assert "12 passed" in out
    assert made.items() <= there().items()
    assert len(there()) == 12 * SEEDS
    assert killed >= min(KILLS, 3)
