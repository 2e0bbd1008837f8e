"""Workers that share a card, timed: `python .ci/workers.py bench/experiments/test_mlp.py --device cuda --graph`.

A session of pytest, by one worker and by four, with NVIDIA's MPS: of a daemon that is there, or of one of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.training.device import has_mps_daemon

DAEMON = "nvidia-cuda-mps-control"


@contextmanager
def mps(folder: str) -> Iterator[bool]:
    """Whether a daemon is there while this lasts; one of its own is in the foreground, and ends with this process."""
    if has_mps_daemon() or not shutil.which(DAEMON):
        yield has_mps_daemon()
        return
    os.environ.update(CUDA_MPS_PIPE_DIRECTORY=folder, CUDA_MPS_LOG_DIRECTORY=folder)
    end = time.monotonic() + 10
    with subprocess.Popen([DAEMON, "-f"]) as daemon:
        try:
            while not has_mps_daemon() and daemon.poll() is None and time.monotonic() < end:
                time.sleep(0.1)
            yield has_mps_daemon()
        finally:
            daemon.terminate()


def main(arguments: Sequence[str]) -> int:
    """The exit code of the sessions; the last line has runs a second, once each worker may have ended one."""
    found = []
    with tempfile.TemporaryDirectory() as folder, mps(folder) as there:
        for workers in (1, 4) if there else ():
            results = Path(folder, f"{workers}")
            options = [*arguments, "-n", f"{workers}", "--results-dir", f"{results}"]
            if code := subprocess.run([sys.executable, "-m", "pytest", *options], check=False).returncode:
                return code
            ended = sorted(path.stat().st_mtime for path in (results / "runs").iterdir())
            rate = (len(ended) - workers) / (ended[-1] - ended[workers - 1])
            found.append(f"{len(ended)} runs: {rate:.2f} a second by -n {workers}")
    print("; ".join(found) or "no MPS daemon here")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
