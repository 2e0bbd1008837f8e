"""Tests of activations.sigmoids: what is not elementwise there."""

from __future__ import annotations

import torch

import activations


def test_softmax_as_a_function_works_along_the_last_dimension_as_the_module_does() -> None:
    x = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    softmax = activations.function("softmax")
    torch.testing.assert_close(softmax(x), activations.build("softmax")(x))
    torch.testing.assert_close(softmax(x, dim=1).sum(1), torch.ones(2, 4))
