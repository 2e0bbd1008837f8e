"""Sites of a network that is being built: `slot(shape)` makes the activation there, `slot.inputs(units)` is its input.

Where a shape takes some working out, `slot.lazy()` stands at the site until `slot.fill(net, input_shape)` has seen it.

Gated linear units and maxout take several inputs for each output. The layer before them is widened as much; hidden
widths stay, or shrink by one common factor so that the network keeps its number of parameters. For a feed-forward
block and two inputs an output that factor is 2/3, as in Shazeer 2020, arXiv 2002.05202.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from models._functions import MARK

if TYPE_CHECKING:
    from models._registry import ActivationFactory

# Fine enough to reach every number of units up to it.
STEPS = 4096

Net = TypeVar("Net", bound=nn.Module)


class LazyActivation(nn.Module):
    """Stands at a site until the network has run once, and gives what an activation there would: the same channels.

    Args:
        in_features_multiplier: inputs for each output of the activation.

    Attributes:
        shape: of one example behind the site; None before the network has run.
    """

    def __init__(self, in_features_multiplier: int = 1) -> None:
        super().__init__()
        self.in_features_multiplier = in_features_multiplier
        self.shape: tuple[int, ...] | None = None

    def forward(self, x: Tensor) -> Tensor:
        out = x[:, : x.shape[1] // self.in_features_multiplier]
        self.shape = tuple(out.shape[1:])
        return out


class Slot:
    """What a network asks for the activations of its sites.

    Args:
        activation: makes the module for a site, see `models.build`.
        in_features_multiplier: inputs for each output of these modules.
        scale: of the hidden widths.
    """

    def __init__(self, activation: ActivationFactory, in_features_multiplier: int = 1, scale: float = 1.0) -> None:
        self.activation = activation
        self.in_features_multiplier = in_features_multiplier
        self.scale = scale

    def units(self, width: int) -> int:
        """Hidden units where the source has `width`.

        Raises:
            ValueError: it has none.
        """
        if width < 1:
            raise ValueError(f"a layer of width {width} has no units; give a width of 1 or more")
        return max(1, round(self.scale * width))

    def inputs(self, units: int) -> int:
        """What the layer before a site with so many units must give."""
        return self.in_features_multiplier * units

    def __call__(self, shape: tuple[int, ...]) -> nn.Module:
        """The activation for a site, by the shape of one example behind it.

        Raises:
            ValueError: it takes another number of inputs for each output than the network gives.
        """
        module = self.activation(shape)
        wanted = getattr(module, "in_features_multiplier", 2 if isinstance(module, nn.GLU) else 1)
        if wanted != self.in_features_multiplier:
            raise ValueError(
                f"the activation {module} takes {wanted} inputs for each output and the network gives it "
                f"{self.in_features_multiplier}: call models.build with in_features_multiplier={wanted}"
                " (a module of your own says what it takes by an attribute of that name)"
            )
        setattr(module, MARK, "hidden")
        return module

    def lazy(self) -> LazyActivation:
        """What stands at a site until `fill`."""
        return LazyActivation(self.in_features_multiplier)

    def fill(self, net: Net, input_shape: tuple[int, ...]) -> Net:
        """Put an activation in the place of each `LazyActivation`, in the order in which the network defines them.

        Unless the network has run already it runs once on the meta device, where only shapes are worked out.

        Args:
            net: changed in place; its sites are defined in the order in which they run.
            input_shape: of one example that it takes.

        Returns:
            The same network.
        """
        sites = {path: module for path, module in net.named_modules() if isinstance(module, LazyActivation)}
        if any(site.shape is None for site in sites.values()):
            _run_on_meta(net, input_shape)
        for path, site in sites.items():
            if site.shape is None:
                raise RuntimeError(f"{type(net).__name__} does not run its site {path!r} in evaluation")
            net.set_submodule(path, self(site.shape))
        return net


def _run_on_meta(net: nn.Module, input_shape: tuple[int, ...]) -> None:
    """Run one example in evaluation, on stand-ins for parameters and buffers; the network stays as it is."""
    training = net.training
    state = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    stand_ins = {name: torch.empty_like(value, device="meta") for name, value in state.items()}
    with torch.no_grad():
        functional_call(net.eval(), stand_ins, torch.empty(1, *input_shape, device="meta"))
    net.train(training)


def equal_parameters(network: Callable[[Slot], nn.Module], in_features_multiplier: int) -> float:
    """The scale of hidden widths at which a network comes nearest to its number of parameters with a multiplier of 1.

    Args:
        network: makes it from a slot; called on the meta device with activations that have no parameters.
        in_features_multiplier: inputs for each output.
    """

    @functools.cache
    def parameters(steps: int, multiplier: int = in_features_multiplier) -> int:
        with torch.device("meta"):
            net = network(Slot(lambda shape: LazyActivation(multiplier), multiplier, steps / STEPS))
        return sum(parameter.numel() for parameter in net.parameters())

    wanted = parameters(STEPS, 1)
    above = bisect.bisect_left(range(STEPS + 1), wanted, lo=1, hi=STEPS, key=parameters)
    return min(max(1, above - 1), above, key=lambda steps: abs(parameters(steps) - wanted)) / STEPS
