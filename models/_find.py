"""Where a network uses activations: `for site in models.sites(torchvision.models.resnet18()): print(site)`.

Importing this module does not load torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from models._site import Kind, Role, Site

if TYPE_CHECKING:
    from torch import nn

    from models._trace import Trace, Use


def sites(net: nn.Module, example: Any = None) -> list[Site]:
    """All sites of a network, in the order of first use.

    The network is run once in training mode and once in evaluation mode, on a copy with fake tensors, which compute
    nothing; where it looks at values, on real ones. What does not run is not found, and neither is what is inside
    a fused kernel: the gates of `nn.LSTM`, the softmax of `scaled_dot_product_attention`.

    Args:
        net: any module; it stays as it is, and so do torch's random number generators.
        example: what it takes, as a tensor, a tuple of arguments or a dict of keywords, two examples or more. Unless
            given, `net.dummy_inputs` (transformers), or what fits the first layer with weights.

    Raises:
        ValueError: the network cannot be copied, or runs with none of the inputs tried.
    """
    return find(net, example)[0]


def find(net: nn.Module, example: Any = None) -> tuple[list[Site], dict[str, set[str]]]:
    """The sites, and by the path of each caller the paths of the modules that its body runs."""
    found: dict[tuple[str, int], Site] = {}
    calls: dict[str, set[str]] = {}
    for seen in _traces(net, example):
        for site in _read(seen):
            found.setdefault((site.path, site.index), site)
        for path, called in seen.calls.items():
            calls.setdefault(path, set()).update(called)
    return list(found.values()), calls


def _traces(net: nn.Module, example: Any) -> list[Trace]:
    """One in training mode and one in evaluation mode."""
    from models._examples import examples, given
    from models._trace import NotCopiedError, trace

    calls = list(examples(net)) if example is None else [given(example)]
    errors: list[Exception] = []
    for fake in (True, False):
        for args, kwargs in calls:
            try:
                return [trace(net, args, kwargs, training, fake) for training in (True, False)]
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
    return "attention" if use.op in SOFTMAX else "hidden"
