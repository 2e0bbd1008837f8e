"""Which modules of a user's own are activations by what they compute: `is_curve(module, x)`, `saturates(module, x)`.

What is written out in arithmetic (`x * torch.erf(x)`, `x / (1 + x.abs())`) calls no activation function of torch. Such
a module is tried on numbers instead: each result depends on its own element alone, and not in a straight line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes

SPREAD = 3.0  # standard deviation of the numbers tried
FAR = 1e4  # where a bounded function has reached its bounds


def is_curve(module: nn.Module, like: Tensor) -> bool:
    """Whether a module computes a function of single elements that is no straight line, in evaluation.

    Args:
        module: without children; its parameters and buffers are not read, numbers of their shapes stand in for them.
        like: a tensor of the shape that it takes.
    """
    with _computing(module) as call:
        one, other = (SPREAD * torch.randn(like.shape) for _ in range(2))
        mask = torch.rand(like.shape) > 0.5
        of_one, of_other = call(one), call(other)
        apart = torch.where(mask, of_one, of_other)
        return _same(call(torch.where(mask, one, other)), apart) and not _same(
            call((one + other) / 2), (of_one + of_other) / 2
        )
    return False  # it does not take such numbers


def saturates(module: nn.Module, like: Tensor) -> bool:
    """Whether it is bounded on both sides, as what may gate is."""
    with _computing(module) as call:
        return all(
            _same(call(torch.full(like.shape, far)), call(torch.full(like.shape, 2 * far))) for far in (-FAR, FAR)
        )
    return False


@contextmanager
def _computing(module: nn.Module) -> Iterator[Callable[[Tensor], Tensor]]:
    """It, on real numbers, outside of all modes and without its hooks; where that fails, the block ends."""
    training = module.training
    with _disable_current_modes(), torch._C.DisableTorchFunction(), torch.random.fork_rng(devices=[]):
        try:
            torch.default_generator.manual_seed(0)
            held = [*module.named_parameters(), *module.named_buffers()]
            state = {
                name: 0.5 + torch.rand(value.shape)
                if value.is_floating_point()
                else torch.zeros(value.shape, dtype=value.dtype)
                for name, value in held
            }
            with torch.nn.utils.stateless._reparametrize_module(module.eval(), state):
                yield lambda x: module.forward(x)
        except Exception:  # whatever a user's module raises on numbers that it does not take
            pass
        finally:
            module.train(training)


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=1e-4, atol=1e-5, equal_nan=True)
