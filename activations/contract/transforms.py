"""Checks of what torch makes of a module: compiled, exported, mapped over examples, fused."""

from __future__ import annotations

import torch
from torch import Tensor

import activations.contract.subject as subject
from activations._record import Activation
from activations.contract.subject import NotApplicable
from activations.contract.truth import Call


def compiles(entry: Activation) -> None:
    """torch.compile takes it whole (fullgraph), forward and backward, by aot_eager."""
    made, x = subject.at_site(entry)
    torch._dynamo.reset()
    compiled = torch.compile(made, fullgraph=True, backend="aot_eager")
    _agree("compiled", compiled, made, x)


def exports(entry: Activation) -> None:
    """torch.export takes it, and the exported program computes the same."""
    made, x = subject.at_site(entry)
    program = torch.export.export(made, (x,))
    subject.agree("exported, the output differs", program.module()(x), made(x))


def maps_over_examples(entry: Activation) -> None:
    """torch.vmap over examples gives what the batch gives."""
    made, x = subject.at_site(entry)
    x = x.unsqueeze(1)  # a batch of one within each example, for modules that look at their batch dimension
    subject.agree("under vmap the output differs", torch.vmap(made)(x), torch.stack([made(one) for one in x]))


def gives_per_example_gradients(entry: Activation) -> None:
    """vmap of grad gives the gradients by input and parameters of each example alone."""
    made, x = subject.at_site(entry)
    x = x.unsqueeze(1)
    parameters = {name: one.detach() for name, one in made.named_parameters()}

    def loss(parameters: dict[str, Tensor], one: Tensor) -> Tensor:
        output: Tensor = torch.func.functional_call(made, parameters, (one,))
        return output.square().sum()

    both = torch.func.grad(loss, argnums=(0, 1))
    found, by_x = torch.vmap(both, in_dims=(None, 0))(parameters, x)
    for number, example in enumerate(x):
        expected, expected_by_x = both(parameters, example)
        subject.agree(f"the gradient of example {number} by its input differs", by_x[number], expected_by_x, ulp=64)
        for name, gradient in expected.items():
            subject.agree(f"the gradient of example {number} by {name} differs", found[name][number], gradient, ulp=64)


def forward_mode_agrees(entry: Activation) -> None:
    """torch.func.jvp, and so jacfwd, gives the derivative that backward gives."""
    made, x = subject.at_site(entry)
    direction = torch.linspace(-1, 1, x.numel(), dtype=x.dtype).reshape(x.shape)
    try:
        forward = torch.func.jvp(made, (x,), (direction,))[1]
    except NotImplementedError as error:  # torch.compile takes no Function that has a jvp
        raise NotApplicable(
            "its derivative is for backward alone: jvp and jacfwd raise, vjp and jacrev work"
        ) from error
    weights = torch.linspace(1, 2, forward.numel(), dtype=x.dtype).reshape(forward.shape)
    x.requires_grad_()
    by_backward = (torch.autograd.grad((weights * made(x)).sum(), x)[0] * direction).sum()
    subject.agree("the derivative of forward mode differs", (weights * forward).sum(), by_backward, ulp=4096)


def fused_agrees_at_a_site(entry: Activation) -> None:
    """Fused, sized for a site, a module computes what its eager form does, gradients of parameters too."""
    subject.fused(entry)
    made, x = subject.at_site(entry, torch.float32)
    fused, _ = subject.at_site(entry, torch.float32, fused=True)
    fused.load_state_dict(made.state_dict())
    _agree("fused", fused, made, x)


def _agree(what: str, changed: Call, made: torch.nn.Module, x: Tensor) -> None:
    parameters = list(made.parameters())
    own = list(changed.parameters()) if isinstance(changed, torch.nn.Module) else parameters
    names = ["output", "gradient", *(f"gradient by {name}" for name, _ in made.named_parameters())]
    found, expected = subject.gradients(changed, x, own), subject.gradients(made, x, parameters)
    for name, got, wanted in zip(names, found, expected, strict=True):
        subject.agree(f"{what}, the {name} differs", got, wanted, ulp=64)
