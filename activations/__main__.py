"""What the catalogue holds, from the command line: `python -m activations [NAME ...]`.

python -m activations                              # facts about every activation, as a table
python -m activations silu                         # everything about one
python -m activations my_file.py:my_act relu       # a user's own beside relu
python -m activations --family rectifier --tree    # what was derived from what
python -m activations relu elu gelu --plot f.svg   # functions and derivatives side by side
python -m activations mish --accuracy bfloat16     # worst errors in units in the last place
python -m activations --compile                    # fused kernels into inductor's cache, as for the image of a CI
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import activations
from activations.command import Parser, run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Print or plot what the command line asks for.

    Returns:
        The exit code: 2 where something given is unknown or cannot be written, with one line on standard error.
    """
    parser = Parser(
        prog="python -m activations",
        description="Facts about activations, computed from their formulas.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="name, alias or my_file.py:my_act; all unless given")
    parser.add_argument("--family", help="all of a family, such as rectifier")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--tree", action="store_true", help="families, originals and what was derived from them")
    shown.add_argument("--plot", type=Path, metavar="FILE", help="draw functions and derivatives: .svg, .png or .pdf")
    parser.add_argument(
        "--window", nargs=2, type=float, default=(-4.0, 4.0), metavar=("FROM", "TO"), help="of x in a plot; -4 4"
    )
    shown.add_argument(
        "--accuracy",
        nargs="*",
        metavar="DTYPE",
        help="worst errors in float64, float32, bfloat16, float16, or those given",
    )
    shown.add_argument("--compile", action="store_true", help="compile the fused kernels into inductor's cache")
    options = parser.parse_args(argv)
    return run_command(parser.prog, lambda: _answer(options), options.plot)


def _answer(options: argparse.Namespace) -> str:
    from activations import _tables

    given = [_name(reference) for reference in options.names]
    names = list(dict.fromkeys([*given, *_family(options.family)])) or activations.names()
    if options.tree:
        return _tables.tree([activations.info(name) for name in _kin(names)], marked=given)
    if options.plot:
        return _plotted(names, options)
    if options.accuracy is not None:
        return _accuracy(names, options.accuracy)
    if options.compile:
        return _compiled(names)
    found = [activations.properties(name) for name in names]
    return _tables.sheet(found[0]) if len(found) == 1 else _tables.overview(found)


def _name(reference: str) -> str:
    """Of a registered activation; a user's own is registered."""
    if ":" not in reference:
        return activations.info(reference).name
    entry = activations.load(reference)
    activations.register(entry)
    return entry.name


def _family(family: str | None) -> list[str]:
    if family is None:
        return []
    names = activations.names(family=family)
    if not names:
        known = dict.fromkeys(activations.info(name).family for name in activations.names())
        raise ValueError(f"unknown family {family!r}; known: {', '.join(known)}")
    return names


def _kin(names: Sequence[str]) -> list[str]:
    """The names, what they derive from and what derives from them."""

    def line(name: str) -> list[str]:
        parent = activations.info(name).variant_of
        return [name, *(line(parent) if parent else [])]

    above = {one for name in names for one in line(name)}
    return [name for name in activations.names() if name in above or not set(names).isdisjoint(line(name))]


def _plotted(names: Sequence[str], options: argparse.Namespace) -> str:
    from activations import _plot

    judged = [name for name in names if options.names or not activations.properties(name).reason]
    _plot.draw(judged, options.plot, tuple(options.window))
    left = [name for name in names if name not in judged]
    return f"wrote {options.plot}" + (
        f"; left out, being no functions of one number: {', '.join(left)}" if left else ""
    )


def _accuracy(names: Sequence[str], dtypes: Sequence[str]) -> str:
    from activations import _tables
    from activations.contract import accuracy, subject

    for dtype in dtypes:
        if dtype not in subject.DTYPES:
            raise ValueError(f"unknown dtype {dtype!r}; known: {', '.join(subject.DTYPES)}; names go before --accuracy")
    found = {}
    for entry in map(activations.info, names):
        if entry.formula is None and entry.family != "user":
            continue
        double = subject.call(entry, subject.DTYPES["float64"]) if entry.formula is None else None
        found[entry.name] = [
            accuracy.measure_errors(subject.call(entry, dtype), entry, dtype, double=double)
            for dtype in (subject.DTYPES[given] for given in dtypes or subject.DTYPES)
        ]
    without = [name for name in names if name not in found]
    if not found:
        raise ValueError(f"no formula to measure {', '.join(without)} against; give others")
    return _tables.accuracy(found) + (f"\nwithout a formula: {', '.join(without)}" if without else "")


def _compiled(names: Sequence[str]) -> str:
    """Calls every fused form, forward and backward, in float32: behind a linear layer and behind a convolution."""
    import torch
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    from activations import fused

    devices = [torch.device(name) for name in ("cpu", *["cuda"] * torch.cuda.is_available())]
    seconds = {}
    for name in names:
        start = time.perf_counter()
        for device, shape in product(devices, ((4,), (4, 4, 4))):
            module = activations.build(name, shape=shape, fused=True).to(device)
            if not getattr(module, "fused", False):
                continue
            x = torch.randn(2, *shape, device=device, requires_grad=True)
            module(x).sum().backward()
            if not fused.applies(x):
                raise ValueError("nothing was compiled: there is no C++ compiler here (on a GPU: no Triton)")
            seconds[name] = time.perf_counter() - start
    kept = ", ".join(name for name in names if name not in seconds)
    lines = [f"{name:24}{taken:6.1f} s" for name, taken in seconds.items()]
    lines += [f"in {cache_dir()}, for {' and '.join(map(str, devices))}: {sum(seconds.values()):.0f} s"]
    return "\n".join(lines + ([f"torch's own are one pass already: {kept}"] if kept else []))


if __name__ == "__main__":
    sys.exit(main())
