"""Where a network uses activations: `for site in models.sites(torchvision.models.resnet18()): print(site)`.

Importing this module does not load torch.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models._site import Kind, Role, Site

if TYPE_CHECKING:
    from torch import nn

    from models._use import Trace, Use


def sites(net: nn.Module, example: Any = None) -> list[Site]:
    """All sites of a network, in the order of first use.

    The network is run once in training mode and once in evaluation mode, on a copy with fake tensors, which compute
    nothing; where it looks at values, on real ones. What does not run is not found, and neither is what is inside
    a fused kernel (the gates of `nn.LSTM`, the softmax of `scaled_dot_product_attention`) or compiled by `torch.jit`.
    A module that calls no activation function is one if its arithmetic is, see `models._curves`.

    Args:
        net: any module; it stays as it is, and so do torch's random number generators.
        example: what it takes, as a tensor, a tuple of arguments or a dict of keywords, two examples or more. Unless
            given, `net.dummy_inputs` (transformers), or what fits the first layer with weights.

    Raises:
        TypeError: it is no module.
        ValueError: the network cannot be copied, or runs with none of the inputs tried.
    """
    return find(net, example).sites


@dataclass(frozen=True)
class Found:
    """What the two runs of a network showed.

    Attributes:
        sites: in the order of first use.
        calls: by the path of each caller, the paths of the modules that its body runs.
        ran: the paths of all modules that ran.
        missed: activations that a larger kernel, compiled code or a `torch.autograd.Function` ran, with the paths of
            their callers.
        run: traces the network once more, with the same input, see `models._trace.trace`.
    """

    sites: list[Site]
    calls: dict[str, set[str]]
    ran: set[str]
    missed: set[tuple[str, str]]
    run: Callable[..., Trace]


def find(net: nn.Module, example: Any = None) -> Found:
    """The sites of a network, and what else its runs showed.

    Raises:
        TypeError, ValueError: as `sites`.
    """
    check_network(net)
    run, traces = _traces(net, example)
    calls: dict[str, set[str]] = {}
    for seen in traces:
        for path, called in seen.calls.items():
            calls.setdefault(path, set()).update(called)
    ran, missed = ({one for seen in traces for one in getattr(seen, what)} for what in ("ran", "missed"))
    return Found(sites_of(traces), calls, ran, missed, run)


def check_network(net: object) -> None:
    """Raise TypeError unless it is a module."""
    from torch import nn

    if not isinstance(net, nn.Module):
        raise TypeError(
            f"the network is {net!r}, not an nn.Module: give an instance, such as torchvision.models.resnet18() or "
            'models.build("cnn", input_shape=(3, 32, 32), num_classes=10, activation="relu")'
        )


def sites_of(traces: Iterable[Trace]) -> list[Site]:
    """Those of all traces; the n-th use of a module, and the n-th call of a function, are one site in each caller."""
    found: dict[tuple[str, str, int], Site] = {}
    for seen in traces:
        uses: Counter[tuple[str, str]] = Counter()
        for site in _read(seen):
            what = site.path, site.name if site.kind == "module" else ""
            found.setdefault((*what, uses[what]), site)
            uses[what] += 1
    return list(found.values())


def _traces(net: nn.Module, example: Any) -> tuple[Callable[..., Trace], list[Trace]]:
    """One in training mode and one in evaluation mode, and how they were run."""
    from models._examples import examples, given
    from models._trace import NotCopiedError, trace

    calls = list(examples(net)) if example is None else [given(example)]
    errors: list[Exception] = []
    for fake in (True, False):
        for args, kwargs in calls:
            run = functools.partial(trace, net, args, kwargs, fake)
            try:
                return run, [run(training) for training in (True, False)]
            except NotCopiedError:
                raise
            except Exception as error:  # whatever a network raises on what it does not take
                errors.append(error)
    if example is not None:
        raise ValueError(
            f"{type(net).__name__} does not run with the example: {errors[-1]}; give a tensor, a tuple of arguments or "
            "a dict of keywords that it takes"
        ) from errors[-1]
    reason = f"; the last one failed with: {errors[-1]}" if errors else ""
    raise ValueError(
        f"cannot find the activations of {type(net).__name__}: it ran with none of the {len(calls)} inputs that its "
        f"first layer suggests; give example=, a tensor, tuple of arguments or dict of keywords that it takes{reason}"
    ) from (errors[-1] if errors else None)


def _read(seen: Trace) -> Iterator[Site]:
    uses = [(use, path, index) for path, uses in seen.uses.items() for index, use in enumerate(uses)]
    for use, path, index in sorted(uses, key=lambda entry: entry[0].time):
        kind: Kind = "module" if use.is_module else "function"
        yield Site(path, index, kind, use.name, use.op, use.shape, use.channel_dim, _role(use, seen.layers))


def _role(use: Use, layers: Sequence[int]) -> Role:
    from models._functions import SOFTMAX

    if use.role is not None:
        return use.role
    if use.gate:
        return "gate"
    if use.pooler:
        return "pooler"
    if layers and max(layers) < use.time:
        return "output"
    return "attention" if use.attention or use.op in SOFTMAX else "hidden"
