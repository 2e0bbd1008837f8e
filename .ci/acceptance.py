"""The acceptance run on a card, see `.ci/gpu`: steps of commands, each with its share of the time, and one table.

What a step leaves is in `results.tar.gz` and in `table.md` of the folder OUT as soon as it has ended. A step that fails
or whose time is over does not keep those behind it from running; what it does not need of its time is theirs.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
GRACE = 15.0  # seconds at the end of a step's time in which pytest, told to stop, writes what it has
SHOWN = 40  # lines of the log of a step that failed
# What a step has found, among the lines of its log: of cases or runs, of first steps, of pytest.
FOUND = (r"(?:\d+ cases?, )?\d+ runs?: .*", r"(?:\d+ [A-Z]+(?:, |$))+", r"=* ?((?:\d+ [a-z]+(?:, )?)+ in [\d.]+s).*")

# Of every kind of network and randomness one, trained twice in two processes: a trained activation, squeeze and
# excitation, dense and depthwise blocks, dropout, a schedule, frames of speech, a decoder ...
CASES = (
    "apl_depth-apl_cnn3-digits-apl-adam",
    "complex-senet18-digits-tact-adam",
    "complex-densenet121-digits-mish-adam",
    "complex-mobilenet_v2-digits-silu-adam",
    "wrn-wrn_40_4-digits-gelu-nesterov",
    "xresnet-xresnet18-digits-relu-adamw-epochs4",
    "timit-timit_mlp-made_speech-gelu-adam",
    "gpt-gpt-made_text-relu_squared-muon",
)
# ... and, where their data is at hand, convolution, recurrence, noise, attention, sentences.
CASES_WITH_DATA = (
    "cnn-cnn-cifar10-gelu-adam",
    "autoencoder-autoencoder-mnist-elu-adam-lr0.001",
    "stochastic-mlp-mnist-gelu_stochastic-adam",
    "stochastic-rnn-mnist-tanh-adam-zoneout0.15",
    "bert-bert-cola-swiglu-adamw",
    "bert-bert-sst2-gelu-adamw",
    "pos-tagger-twitter_pos-gelu-adam",
)
# Of CASES those whose steps are captured in a CUDA graph too: a trained activation, batch norms, dropout with a
# schedule, speech.
GRAPHED = tuple(name for name in CASES if name.startswith(("apl_depth", "complex-senet18", "wrn", "timit")))


@dataclass(frozen=True)
class Step:
    """A command, and its share of the time that is left when it begins.

    Attributes:
        name: of the step, its log and its line of the table.
        share: in parts of what it and the steps behind it have together.
        command: as a user types it; `{folder}` is where results go.
        rehearsal: what is added to it on a CPU, where it cuts the step short.
    """

    name: str
    share: float
    command: str
    rehearsal: str = ""

    @property
    def rehearsed(self) -> str:
        """The command of a rehearsal."""
        on_a_cpu = self.command.replace("--device cuda", "--device cpu").replace("--graph ", "")
        return f"{on_a_cpu} {self.rehearsal}".rstrip()


@dataclass(frozen=True)
class Outcome:
    """What became of a step: a line of the table."""

    step: str
    result: str
    seconds: float
    found: str


def steps(data: str, minutes: float, workers: int) -> list[Step]:
    """All steps in their order.

    Args:
        data: folder with data; empty where there is none: then networks see digits and made speech.
        minutes: in all; in twenty-four or more the larger probes are taken whole.
        workers: that take first steps; those that train are one a card, since without MPS they would take turns.
    """
    place = f"--data-dir {shlex.quote(data)}" if data else ""
    part = f"--shard 1/{max(1, round(24 / minutes))}"
    training = f"-n auto {place}"
    probe = f"pytest bench/experiments --probe --device cuda -n {workers} --baseline=require"
    cases = " or ".join([*CASES, *(CASES_WITH_DATA if data else ())])
    twice = f'pytest bench/experiments -k "{cases}" --device cuda --scale tiny --seeds 2 {training}'
    a1 = "--dataset mnist,cifar10" if data else "--dataset digits"
    record = f"--device cuda --record {training}"
    few = f'-n 0 --seeds 1 -k "{" or ".join([CASES[0], *(CASES_WITH_DATA[2:3] if data else ())])}"'
    return [
        Step("machine", 30, "python .ci/machine.py --device cuda"),
        Step("tests", 120, "pytest tests/gpu -m gpu --durations 10"),
        *(
            Step(
                f"probes_{scale}",
                share,
                f"{probe} --scale {scale} --results-dir {{folder}}/probes_{scale} {more}",
                '-n 0 -k "apl_cnn3 and relu"',
            )
            for scale, share, more in (("tiny", 60, place), ("small", 40, part), ("paper", 40, part))
        ),
        Step(
            "once", 30, f"{twice} --record --baseline-dir {{folder}}/baselines/once --results-dir {{folder}}/once", few
        ),
        Step(
            "again",
            30,
            f"{twice} --baseline=require --strict --confirm 0 --baseline-dir {{folder}}/baselines/once "
            "--results-dir {folder}/again",
            few,
        ),
        Step(
            "graph",
            15,
            f'pytest bench/experiments -k "{" or ".join(GRAPHED)}" --device cuda --graph --scale tiny --seeds 2 '
            f"{training} --confirm 0 --baseline-dir {{folder}}/baselines/once --results-dir {{folder}}/graph",
            f'-n 0 --seeds 1 -k "{GRAPHED[0]}"',
        ),
        Step("graph_beside", 3, "python -m bench compare {folder}/once {folder}/graph --all"),
        Step(
            "workers",
            50,
            'python .ci/workers.py bench/experiments/test_mlp.py -k "digits and not relu" --device cuda --graph '
            "--scale tiny --seeds 1 --baseline=ignore",
            '-k "digits and adam and not relu"',
        ),
        Step(
            "kernels",
            50,
            "pytest bench/timing/test_kernels.py -n 0 --device cuda -k memory --results-dir {folder}/kernels "
            "--benchmark-json {folder}/kernels.json",
            '-k "cache and float32 and relu and forward"',
        ),
        Step(
            "peers",
            25,
            'pytest bench/timing/test_kernels.py -n 0 --device cuda --peers -k "implementations and (mish or swiglu)" '
            "--results-dir {folder}/peers",
            '-k "[relu-forward]"',
        ),
        Step(
            "trainer",
            25,
            f"pytest bench/timing/test_trainer.py -n 0 --device cuda --peers {place or '-k bert'} "
            "--results-dir {folder}/trainer --benchmark-json {folder}/trainer.json",
            '-k "test_epoch and bert"',
        ),
        Step(
            "a1",
            160,
            f"pytest bench/experiments/test_cnn.py --scale small {a1} --activation sigmoid,relu,leaky_relu,elu,selu "
            f"{record} --baseline-dir {{folder}}/baselines/a1 --results-dir {{folder}}/a1",
            '-n 0 --seeds 1 --scale tiny -k "elu and sgd and (digits or mnist)"',
        ),
        Step(
            "literature",
            10,
            "python -m bench literature --experiment cnn --scale small --results-dir {folder}/a1",
            "--scale tiny",
        ),
        Step(
            "tiny",
            30,
            f"pytest bench/experiments --scale tiny --seeds 3 {record} --baseline-dir {{folder}}/baselines/tiny "
            "--results-dir {folder}/tiny",
            few,
        ),
    ]


def run(name: str, command: str, folder: Path, limit: float) -> tuple[str, str]:
    """Run a command in a process group of its own; what became of it, and what it found.

    When its time is nearly over it is told to stop, as by Ctrl-C; when it is, all its processes are killed.
    """
    program, *arguments = shlex.split(command.replace("{folder}", shlex.quote(str(folder))))
    python = [sys.executable] if program == "python" else [sys.executable, "-m", program]
    log = folder / f"{name}.log"
    with log.open("w", encoding="utf-8") as file:
        print(f"$ {shlex.join([program, *arguments])}", file=file, flush=True)
        process = subprocess.Popen(
            [*python, *arguments], cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        result = _ended(process, limit)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if result.startswith("FAILED"):
        print(*lines[-SHOWN:], sep="\n")
    return result, found_in(lines)


def _ended(process: subprocess.Popen[bytes], limit: float) -> str:
    """What became of a process: when this returns, nothing of its group is left."""
    grace = min(GRACE, limit / 2)
    try:
        code = process.wait(limit - grace)
        return "passed" if code == 0 else f"FAILED ({code})"
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        return "cut short"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def found_in(lines: Sequence[str]) -> str:
    """What the log of a step says in the end: the verdicts and pytest's sum, or its last line."""
    found = []
    for pattern in FOUND:
        matches = [match for line in lines if (match := re.fullmatch(pattern, line.strip()))]
        if matches:
            found.append(matches[-1][matches[-1].re.groups])
    said = [line.strip() for line in lines if line.strip()]
    return "; ".join(found) or (said[-1] if len(said) > 1 else "nothing")


def table(outcomes: Sequence[Outcome]) -> str:
    """In Markdown, a line a step."""
    rows = [("step", "result", "seconds", "found"), ("---", "---", "---:", "---")]
    rows += [(one.step, one.result, f"{one.seconds:.0f}", one.found.replace("|", "\\|")) for one in outcomes]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def pack(folder: Path, path: Path) -> None:
    """All of a folder as one file, which is there whole or not at all."""
    beside = path.with_name(f".{path.name}")
    with tarfile.open(beside, "w:gz") as archive:
        archive.add(folder, arcname="results")
    beside.replace(path)


def accept(commands: Mapping[Step, str], out: Path, minutes: float) -> list[Outcome]:
    """Run the command of each step, one after the other, within so many minutes; write after each what is known."""
    out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * minutes
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (step, command) in enumerate(commands.items()):
            start = time.monotonic()
            parts = sum(one.share for one in list(commands)[number:])
            limit = max(0.0, end - start) * step.share / parts
            print(f"\n=== {step.name}, at most {limit:.0f} s: {command}", flush=True)
            result, found = run(step.name, command, Path(folder), limit)
            outcomes.append(Outcome(step.name, result, time.monotonic() - start, found))
            (out / "table.md").write_text(f"{table(outcomes)}\n", encoding="utf-8")
            pack(Path(folder), out / "results.tar.gz")
            print(f"{result}: {found}", flush=True)
    return outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code is 0 unless a step failed; one that was cut short did not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background of a script it would be ignored
    parser = argparse.ArgumentParser(prog=".ci/gpu", description="the acceptance run on a card")
    option = parser.add_argument
    option("--device", choices=("cuda", "cpu"), default="cuda", help="on cpu each step is cut short")
    option("--minutes", type=float, default=8, metavar="M", help="for all steps together; 8 unless given")
    option("--workers", type=int, default=min(os.cpu_count() or 1, 12), metavar="N", help="fewer on a small card")
    option("data", metavar="DATA", help="folder as for --data-dir, or an empty string")
    option("out", metavar="OUT", type=Path, help="folder for table.md and results.tar.gz")
    asked = parser.parse_args(arguments)
    if asked.data and not Path(asked.data).is_dir():
        parser.error(f"DATA {asked.data}: no such folder; give an empty string for what needs no data")
    if asked.out.exists() and not asked.out.is_dir():
        parser.error(f"OUT {asked.out} is no folder; give another place")
    if min(asked.minutes, asked.workers) <= 0:
        parser.error(f"--minutes {asked.minutes:g} --workers {asked.workers}: both must be above 0")
    data = str(Path(asked.data).resolve()) if asked.data else ""
    todo = steps(data, asked.minutes, asked.workers)
    commands = {step: step.rehearsed if asked.device == "cpu" else step.command for step in todo}
    outcomes = accept(commands, asked.out.resolve(), asked.minutes)
    print(f"\n{table(outcomes)}")
    return int(any(one.result.startswith("FAILED") for one in outcomes))


if __name__ == "__main__":
    sys.exit(main())
