"""The three arms of a comparison: base, head, and base again. `with arms.started(base, head, "auto") as three: ...`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from bench.regression.worktrees import environment_of
from bench.timing.ab.items import TimedEpoch
from bench.timing.kernels.kernel import Kernel

ARM = Path(__file__).with_name("arm.py")


@dataclass(frozen=True)
class WarmItem:
    """What an arm says of an item that it has built and warmed up: calls of a sample, and bytes kept for backward."""

    loops: int
    bytes_saved: int


class Arm(Protocol):
    """What times one commit."""

    def prepare(self, item: Kernel | TimedEpoch) -> WarmItem:
        """Build an item anew.

        Raises:
            LookupError: the commit has no such item; the message says why.
        """

    def sample(self, loops: int) -> float:
        """Seconds of a call of what was prepared last, on average over so many."""


class ProcessArm:
    """A process in a work tree, which waits while another one is timed."""

    def __init__(self, tree: Path, device: str, errors: IO[str]) -> None:
        self._tree, self._errors = tree, errors
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(ARM), device],
            cwd=tree,
            env=environment_of(tree),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )

    def prepare(self, item: Kernel | TimedEpoch) -> WarmItem:
        answer = self._ask({"prepare": asdict(item)})
        if "error" in answer:
            raise LookupError(answer["error"])
        return WarmItem(**answer)

    def sample(self, loops: int) -> float:
        return float(self._ask({"sample": loops})["seconds"])

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ValueError where the process has ended, with the last line that it said."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):  # there is no answer then either
            print(json.dumps(request), file=self.process.stdin, flush=True)
        if line := self.process.stdout.readline():
            return dict(json.loads(line))
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines() or ["it said nothing"]
        raise ValueError(f"the commit in {self._tree} cannot be timed: {said[-1]}")


@contextmanager
def started(base: Path, head: Path, device: str) -> Iterator[Mapping[str, Arm]]:
    """Fresh processes: where code and tensors come to lie in memory is part of the noise between two runs."""
    with ExitStack() as ended:
        arms = {}
        for name, tree in (("base", base), ("head", head), ("again", base)):
            errors = ended.enter_context(tempfile.TemporaryFile("w+"))
            arms[name] = ProcessArm(tree, device, errors)
            ended.callback(_end, arms[name].process)
        yield arms


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
