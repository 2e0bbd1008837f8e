"""An arm: a process that times what its standard input tells it, a line of JSON each, with the code of its commit.

It is run as a file of the commit at hand and imports everything else from the work tree of its own. Requests are
`{"prepare": {...}}`, with the fields of an item, and `{"sample": loops}`.

On a CPU what counts is the time that the process was given, not that in which it waited for a core that others had.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import activations
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.parts import Part, Parts
from bench.timing import interleave
from bench.timing.kernels.kernel import SIZES, Kernel
from bench.timing.kernels.measurement import populate, prepare_kernel, steady
from bench.timing.loops import build as build_loops
from bench.training.device import resolve

SAMPLE_SECONDS = 4e-3
WARM_UP = 3
BATCH, BATCHES = 64, 2


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    tree = Path.cwd().resolve()
    if not Path(activations.__file__).resolve().is_relative_to(tree):  # what is installed would be timed in its place
        sys.exit(f"there is no package activations in {tree}")
    device = resolve(sys.argv[1])
    with steady():
        for line in sys.stdin:
            request = json.loads(line)
            if fields := request.get("prepare"):
                try:
                    call, saved = prepared(fields, device)
                    first = min(seconds(call, 1, device) for _ in range(WARM_UP))
                    loops = math.ceil(SAMPLE_SECONDS / max(first, 1e-7))
                    answer: dict[str, Any] = {"loops": loops, "bytes_saved": saved}
                except Exception as error:  # of an older commit, which may lack what is asked for
                    answer = {"error": f"{type(error).__name__}: {error}"}
            else:
                if request["sample"] > 1:
                    call()  # finds what another arm has left of the caches
                answer = {"seconds": seconds(call, request["sample"], device)}
            print(json.dumps(answer), file=answers, flush=True)


def seconds(call: interleave.Call, loops: int, device: torch.device) -> float:
    """Of a call, on average over so many."""
    if device.type != "cpu" or time.get_clock_info("process_time").resolution > 1e-6:
        return interleave.measure_in_turn({"": call}, rounds=1, device=device, loops={"": loops})[""][0]
    start = time.process_time()
    for _ in range(loops):
        call()
    return (time.process_time() - start) / loops


def prepared(fields: Mapping[str, str], device: torch.device) -> tuple[interleave.Call, int]:
    """What is called in a sample, and the bytes that it keeps for backward; 0 for an epoch, which keeps none."""
    if "loop" in fields:
        return epoch(fields["activation"], device), 0
    kernel = Kernel(**fields)
    populate(SIZES[kernel.size], getattr(torch, kernel.dtype), device)
    found = prepare_kernel(kernel, device)
    return found.call, found.bytes_saved


def epoch(activation: str, device: torch.device) -> interleave.Call:
    rows = BATCH * BATCHES
    images = torch.randn(rows, 3, 32, 32, generator=torch.Generator().manual_seed(0)).to(device)
    part = Part(images, (torch.arange(rows) % 10).to(device))
    recipe = Recipe(version=1, epochs=1, batch_size=BATCH, learning_rate=1e-3, initialisation="torch")
    case = Case("trainer", "cnn", "cifar10", activation, "sgd")
    parts = Parts(part, None, part, num_classes=10, data_hash="")
    return build_loops(["suite"], case, recipe, parts, device)["suite"]


if __name__ == "__main__":
    main()
