"""How sharp probes are, measured on this machine against the recorded ones: `python -m bench.checks`.

python -m bench.checks faults                                   # planted ones: all must be noticed
python -m bench.checks rounding --scale tiny --every 10         # none: nothing may be
ATEN_CPU_CAPABILITY=default python -m bench.checks rounding     # as on a CPU without vector instructions
python -m bench.checks rounding --threads 2 --no-onednn --channels-last --device cpu
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import torch
from tabulate import tabulate

from activations.command import Parser
from bench.cases.recipe import SCALES
from bench.checks import probing
from bench.data.folder import typed_path
from bench.records import baseline, probes
from bench.regression.probes import TOLERANCE
from bench.training.device import DEVICES, resolve

SHOWN = 20  # cases that rounding moves most


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; the exit code is 1 where a fault was missed, or rounding taken for a fault."""
    parser = Parser(prog="python -m bench.checks", description="How sharp probes are.")
    option = parser.add_argument
    option("what", choices=("faults", "rounding"))
    option("--scale", choices=SCALES, default="tiny", help="of the cases of rounding")
    option("--every", type=int, default=1, metavar="N", help="of rounding: every N-th case")
    option("--threads", type=int, default=1, metavar="N")
    option("--device", choices=DEVICES, default="cpu")
    option("--no-onednn", action="store_true")
    option("--channels-last", action="store_true")
    option("--baseline-dir", type=typed_path, metavar="DIR", default=baseline.FOLDER)
    options = parser.parse_args(arguments)
    recorded, device = probes.read(options.baseline_dir), resolve(options.device)
    with probing.conditions(options.threads, onednn=not options.no_onednn, channels_last=options.channels_last):
        if options.what == "faults":
            shown = found = list(probing.faults(recorded, device))
            wrong = [one for one in found if not one.message]
            least = min(one.distance for one in found)
            summary = f"{len(found) - len(wrong)} of {len(found)} faults noticed, the smallest at {least:.1e}"
        else:
            found = list(probing.rounding(recorded, options.scale, options.every, device))
            wrong = [one for one in found if one.message]
            shown = sorted(found, key=lambda one: -one.distance)[:SHOWN]
            summary = f"rounding moves {len(found)} cases by at most {shown[0].distance:.1e}"
    rows = [(one.name, one.scale, f"{one.distance:.1e}", one.message[:100]) for one in shown]
    print(tabulate(rows, headers=("", "scale", "distance", "first difference"), disable_numparse=True))
    capability = f"{torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"
    print(f"{summary}; tolerance {TOLERANCE:.0e}; {device}, {capability}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
