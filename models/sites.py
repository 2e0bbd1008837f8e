"""Where a network uses activations: `for site in models.sites(torchvision.models.resnet18()): print(site)`.

Importing this module does not load torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from torch import nn

    from models._watch import Seen, Use

Kind: TypeAlias = Literal["module", "function"]
Role: TypeAlias = Literal["hidden", "gate", "pooler", "attention", "output"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Site:
    """A place: the n-th use of an activation in the body of a module that is not itself one, its caller.

    Attributes:
        path: qualified name of the caller; empty for the network itself.
        index: n, from 0.
        kind: whether the caller runs a module or calls a function.
        name: qualified name of the module, or name of the function.
        op: the activation, such as `relu` or `gelu`.
        shape: of one example behind it, batch left out.
        channel_dim: which dimension of the shape is the channels: 0 behind a convolution, -1 behind a linear layer.
        role: `gate` for sigmoid, hardsigmoid and tanh whose result, or 1 less it, is next multiplied with another
            tensor, for glu, and for relu6 where it is divided by a number (`relu6(x + 3) / 6`); `pooler` inside a
            module whose class is named so (BERT's tanh); `attention` for a softmax; `output` for what no layer with
            weights runs after; `hidden` for all else.
    """

    path: str
    index: int
    kind: Kind
    name: str
    op: str
    shape: tuple[int, ...]
    channel_dim: int
    role: Role

    @property
    def parameter_shape(self) -> tuple[int, ...]:
        """What sizes trainable parameters: behind a linear layer its features alone, whatever the number of tokens."""
        return self.shape if self.channel_dim == 0 else (*(1 for _ in self.shape[:-1]), *self.shape[-1:])


def sites(net: nn.Module, example: Any = None) -> list[Site]:
    """All places of a network, in the order of first use.

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
    """The places, and by the path of each caller the paths of the modules that its body runs."""
    runs = _runs(net, example)
    found: dict[tuple[str, int], Site] = {}
    calls: dict[str, set[str]] = {}
    for seen in runs:
        for site in _read(seen):
            found.setdefault((site.path, site.index), site)
        for path, called in seen.calls.items():
            calls.setdefault(path, set()).update(called)
    return list(found.values()), calls


def _runs(net: nn.Module, example: Any) -> list[Seen]:
    """One in training mode and one in evaluation mode."""
    from models._examples import examples, given
    from models._watch import NotCopiedError, watch

    calls = list(examples(net)) if example is None else [given(example)]
    errors: list[Exception] = []
    for fake in (True, False):
        for args, kwargs in calls:
            try:
                return [watch(net, args, kwargs, training, fake) for training in (True, False)]
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


def _read(seen: Seen) -> Iterator[Site]:
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
