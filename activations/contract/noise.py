"""Checks of the activations that draw noise in training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import activations._registry as registry
import activations.contract.subject as subject
from activations._record import Activation
from activations.contract.subject import NotApplicable

X = torch.linspace(-3, 3, 200, dtype=torch.float64)


def evaluation_is_deterministic(entry: Activation) -> None:
    """Twice the same in evaluation mode, whatever the entry; and without drawing from torch's generator."""
    made, x = subject.at_site(entry)
    before = torch.get_rng_state()
    one, other = made(x), made(x)
    subject.ensure(torch.equal(one, other), "two evaluations differ")
    subject.ensure(torch.equal(torch.get_rng_state(), before), "evaluation draws from the default generator")


def generator_reproduces(entry: Activation) -> None:
    """A seeded generator gives the same noise again, another seed other noise, and torch's own is left alone."""
    before = torch.get_rng_state()
    one, same, other = (_training(entry, seed)(X) for seed in (0, 0, 1))
    subject.ensure(torch.equal(one, same), "the same seed gives other noise")
    subject.ensure(not torch.equal(one, other), "another seed gives the same noise")
    subject.ensure(
        torch.equal(torch.get_rng_state(), before), "with a generator of its own it draws from the default one"
    )


def backward_uses_the_same_noise(entry: Activation) -> None:
    """The gradient is that of the values drawn: it agrees with finite differences at the same seed."""

    def drawn(x: Tensor) -> Tensor:
        found: Tensor = _training(entry, 0)(x)
        return found

    torch.autograd.gradcheck(drawn, (X.clone().requires_grad_(),))


def checkpoint_uses_the_same_noise(entry: Activation) -> None:
    """Under activation checkpointing the recomputed noise is that of the forward pass."""
    made = registry.build(entry.name).train()
    _only_stochastic(entry)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        x = X.clone().requires_grad_()
        expected = torch.autograd.grad((made(x) * 2).square().sum(), x)[0]
        torch.manual_seed(0)
        output = checkpoint(lambda x: (made(x) * 2).square().sum(), x, use_reentrant=False)
        torch.rand(5)
        got = torch.autograd.grad(output, x)[0]
    subject.ensure(torch.equal(got, expected), "under checkpoint the gradient belongs to other noise")


def _training(entry: Activation, seed: int) -> nn.Module:
    _only_stochastic(entry)
    made = registry.build(entry.name, generator=torch.Generator().manual_seed(seed))
    return made.train()


def _only_stochastic(entry: Activation) -> None:
    if not entry.stochastic:
        raise NotApplicable("draws no noise")
