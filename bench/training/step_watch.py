"""What is measured of a network's first steps while it trains: `StepWatch(network)`, told each loss by its `step`."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from bench.records.probes import chosen, groups
from bench.training.figures import figure, sample
from bench.training.setup import Network

# Of a tensor, kept to compare two precisions one by one.
VALUES = 1024


class LastStep(Exception):  # noqa: N818, it is no error
    """The last step that is looked at has been taken."""


class StepWatch:
    """Measures a network by hooks while it is trained: the first step in full, of the others the loss and the update.

    Args:
        last: the step behind which `LastStep` is raised; None goes on to the end.

    Attributes:
        series: what was measured, see `Probe`.
        values: see `FirstSteps`.
        layers: names of the modules with trainable weights, activations left out, from the output to the input.
    """

    def __init__(self, network: Network, last: int | None = None) -> None:
        net, self._last = network.net, last
        inside = {module for site in network.sites for module in site.modules()}
        layers = {name: _trained(layer) for name, layer in net.named_modules() if layer not in inside}
        backward = [(name, own) for name, own in reversed(layers.items()) if own]
        self.layers = tuple(name for name, _ in backward)
        self._weights = [own for _, own in backward]
        self._all = [one for one in net.parameters() if one.requires_grad]
        self._own = [one for one in nn.ModuleList(network.sites).parameters() if one.requires_grad]
        self.series: dict[str, tuple[float, ...]] = {"weights": (figure(net.parameters()),)}
        if self._own:
            self.series["activation_parameters"] = (figure(self._own),)
        self.values: dict[str, list[Tensor]] = {"output_values": []}
        self._outputs: dict[nn.Module, tuple[float, Tensor]] = {}
        self._hooks = [
            net.register_forward_pre_hook(lambda _, args: self._note("inputs", figure(args))),
            *(site.register_forward_hook(self._used) for site in network.sites),
            net.register_forward_hook(lambda _, args, output: self._put_out(output)),
        ]
        network.optimizer.register_step_pre_hook(lambda *_: self._keep())
        network.optimizer.register_step_post_hook(lambda *_: self._updated())

    def _note(self, name: str, value: float) -> None:
        self.series[name] = (*self.series.get(name, ()), value)

    def _used(self, site: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if not self._outputs:
            self._note("first_site_input", figure(args))
        if site not in self._outputs:  # a recurrent network uses its own at every row
            self._outputs[site] = (figure([output]), sample(output, VALUES).cpu().double())

    def _put_out(self, output: Tensor) -> None:
        self._note("output", figure([output]))
        self.values["output_values"].append(sample(output, VALUES).cpu().double())

    def step(self, loss: Tensor) -> None:
        """Of each step, between backward pass and optimizer."""
        self._note("losses", loss.item())
        if not self._hooks:
            return
        while self._hooks:
            self._hooks.pop().remove()
        used = list(self._outputs.values())
        self.num_sites = len(used)
        measured = [used[place] for place in chosen(len(used))]
        self.series["sites"] = tuple(value for value, _ in measured)
        self.values["site_values"] = [values for _, values in measured]
        self.series["gradients"] = tuple(
            figure(gradient for own in self._weights[group] for gradient in _gradients(own))
            for group in groups(len(self._weights))
        )
        if self._own:
            self.series["activation_gradients"] = (figure(_gradients(self._own)),)

    def _keep(self) -> None:
        self._before = [[sample(one).clone() for one in own] for own in (self._all, self._own)]

    def _updated(self) -> None:
        for name, own, before in zip(
            ("updates", "activation_updates"), (self._all, self._own), self._before, strict=True
        ):
            if own:
                self._note(name, figure(sample(now) - was for now, was in zip(own, before, strict=True)))
        if len(self.series["losses"]) == self._last:
            raise LastStep


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [one for one in module.parameters(recurse=False) if one.requires_grad]


def _gradients(parameters: Iterable[nn.Parameter]) -> list[Tensor]:
    """None where the loss does not depend on it."""
    return [one.grad for one in parameters if one.grad is not None]
