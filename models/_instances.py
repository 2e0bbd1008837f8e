"""The instances for a network's sites: `factory(nn.GELU)((64, 8, 8))` is a new `nn.GELU()`."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from models._registry import ActivationFactory


def factory(activation: nn.Module | type[nn.Module] | ActivationFactory) -> ActivationFactory:
    """What makes an instance for a site, by the shape of one example there.

    Args:
        activation: a module, of which each site gets a copy; a class, built without arguments; or a function of the
            shape.

    Raises:
        TypeError: none of these; or later, at a site: the class needs arguments, or the function fails, as one of a
            tensor does, or returns no module.
    """
    if isinstance(activation, nn.Module):
        module = activation
        return lambda shape: copy.deepcopy(module)
    if not callable(activation):
        raise TypeError(f"activation {activation!r} is no name, nn.Module, class of one or function that makes one")
    wanted = "give a class of nn.Module that needs no arguments, or a function that makes one from the shape of a site"

    def make(shape: tuple[int, ...]) -> nn.Module:
        try:
            made = activation() if isinstance(activation, type) else activation(shape)
        except (TypeError, AttributeError) as error:
            given = "no arguments" if isinstance(activation, type) else f"the shape {shape}"
            raise TypeError(f"activation {activation!r} fails with {given}: {error}; {wanted}") from error
        if not isinstance(made, nn.Module):
            raise TypeError(f"activation {activation!r} makes no nn.Module but a {type(made).__name__}; {wanted}")
        return made

    return make
