"""Elementwise functions with a derivative of their own: `squareplus = Pointwise(squareplus_value, squareplus_vjp)`.

Autograd would keep a tensor for every step of a formula, and differentiate a step at a time, through infinities
that the formula itself avoids. A `Pointwise` keeps its inputs alone and is told its derivative.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

import activations.fused as fused
from activations.fused import Constants

# Rows summed at a time by a compiled kernel. A sum over the examples reads as many streams as it has rows, from x and
# from the gradient; beyond some 32 streams the hardware stops prefetching, and it took 1.7 times as long.
ROWS = 16
Value: TypeAlias = Callable[..., Tensor]
# Vector-Jacobian product: (gradient of the output, x, *parameters) -> gradients of x and of each parameter, of the
# output's shape or already summed to the parameter's. Made of differentiable torch calls, for double backward.
VJP: TypeAlias = Callable[..., tuple[Tensor, ...]]


class Pointwise:
    """An elementwise function of a tensor, with trainable parameters and constants.

    Half types are computed in float32 and rounded once, as torch's own kernels do; the output has the dtype of x,
    under autocast too. One tensor of x's size is kept for backward: x. Differentiable twice, and works under
    `torch.func.vmap`, `torch.compile` and `torch.export`.

    Args:
        value: `(x, *parameters, **constants) -> y`; parameters are positional, constants keyword-only.
        vjp: `(grad, x, *parameters, **constants) -> (grad_x, *grad_parameters)`.
        eager: what runs when the fused form is not asked for, where torch has the function natively; same
            arguments, differentiable by itself.
    """

    def __init__(self, value: Value, vjp: VJP, eager: Value | None = None) -> None:
        self.value = value
        self.vjp = vjp
        self.eager = eager
        self.name = value.__name__.strip("_").removesuffix("_value")
        self.__doc__ = value.__doc__
        kinds = inspect.signature(value).parameters.values()
        self.parameters = tuple(p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD)[1:]
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in kinds)
        self.constants = {p.name: p.default for p in kinds if p.kind is p.KEYWORD_ONLY}

    def __call__(self, x: Tensor, *parameters: Tensor | float, fused: bool = False, **constants: Any) -> Tensor:
        """The function of x, elementwise.

        Args:
            x: floating point, any shape.
            *parameters: in the order of `self.parameters`, or by keyword; they broadcast against the trailing
                dimensions of x.
            fused: compile into one pass over memory, see `activations.fused`.
            **constants: see `self.constants`.

        Raises:
            ValueError: x is not floating point, or an argument is missing or unknown.
        """
        require_floating_point(self.name, x)
        named = [constants.pop(key) for key in self.parameters[len(parameters) :] if key in constants]
        given = [torch.as_tensor(p, dtype=opmath(x.dtype), device=x.device) for p in (*parameters, *named)]
        right = self.variadic or len(given) == len(self.parameters)
        if not right or not constants.keys() <= self.constants.keys():
            known = ", ".join((*self.parameters, *self.constants)) or "none"
            raise ValueError(
                f"{self.name} cannot be called with {len(given)} parameters and {sorted(constants)}; "
                f"arguments after x: {known}"
            )
        if self.eager is not None and not fused:
            return self.eager(x, *(p.to(x.dtype) for p in given), **constants)
        fixed = tuple(constants.items())
        recorded = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (x, *given))
        if torch.compiler.is_compiling() and not recorded:
            # torch 2.14's tracer miscounts the arguments of a variadic Function that no gradient is asked of.
            return _value(self, fixed, x, *given)[0]
        result: Tensor = _Apply.apply(self, fused, fixed, x, *given)
        return result

    def in_features_multiplier(self, **constants: Any) -> int:
        """Inputs for each output: 1, but for functions along a dimension (see `activations.gated_linear`)."""
        return 1

    def __repr__(self) -> str:
        return f"Pointwise({self.name})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled and copied by name: the functions inside are code, not data."""
        return pkgutil.resolve_name, (f"{self.value.__module__}:{self.name}",)


class Along(Pointwise):
    """A function along one dimension, its constant `dim`; every other dimension is elementwise."""

    def __call__(self, x: Tensor, *parameters: Tensor | float, fused: bool = False, **constants: Any) -> Tensor:
        """The function of x along `dim`, which is the last unless given.

        Raises:
            ValueError: no such dimension; or see `Pointwise`.
        """
        dim = constants.pop("dim", -1)
        if not -x.ndim <= dim < x.ndim:
            raise ValueError(f"{self.name}: dim {dim} is no dimension of an input of shape {tuple(x.shape)}")
        # Counted from the end, where vmap leaves the dimensions alone.
        return super().__call__(x, *parameters, fused=fused, dim=dim - x.ndim if dim >= 0 else dim, **constants)


def require_floating_point(name: str, x: Tensor) -> None:
    """Raise ValueError where the input of the named activation is not floating point."""
    if not x.is_floating_point():
        raise ValueError(f"{name} takes a floating point tensor, not {x.dtype}; convert it with x.float()")


def opmath(dtype: torch.dtype) -> torch.dtype:
    """The dtype that a function of this dtype is computed in: float32 for the half types."""
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def summed(terms: Tensor, shape: torch.Size) -> Tensor:
    """What lies over the same parameter, added up.

    Compiled, in two steps of which the first goes through memory in order, as the gradient of the input does: what one
    example has for a parameter, or some examples together; then the rest.
    """
    beyond = terms.ndim - len(shape)
    if not torch.compiler.is_compiling() or not shape or beyond < 1:
        return terms.sum_to_size(shape)
    within = [beyond + dim for dim, size in enumerate(shape) if size == 1]
    if within:
        return terms.sum(within, keepdim=True).sum_to_size(shape)
    if beyond > 1 or terms.shape[1:] != shape:
        return terms.sum_to_size(shape)
    # One group less than there are: of the rest, 16 to 31 rows, no kernel is compiled anew for its being 0 or 1.
    groups = terms.shape[0] // ROWS - 1
    if groups < 2:
        return terms.sum_to_size(shape)
    first: Tensor = terms[: groups * ROWS].unflatten(0, (groups, ROWS)).sum(1).sum(0)
    return first + terms[groups * ROWS :].sum(0)


class _Apply(torch.autograd.Function):
    @staticmethod
    def forward(function: Pointwise, fuse: bool, constants: Constants, x: Tensor, *parameters: Tensor) -> Tensor:
        if fuse and fused.applies(x):
            return fused.call_kernel(_value, function, constants, (x,), *parameters)[0]
        return _value(function, constants, x, *parameters)[0]

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.function, ctx.fuse, ctx.constants, *tensors = inputs
        ctx.save_for_backward(*tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, *parameters = ctx.saved_tensors
        # Where a graph is recorded (create_graph=True), autograd differentiates the plain derivative.
        if ctx.fuse and fused.applies(x) and not torch.is_grad_enabled():
            found = fused.call_kernel(_vjp, ctx.function, ctx.constants, (*grads, x), *parameters)
        else:
            found = _vjp(ctx.function, ctx.constants, *grads, x, *parameters)
        return None, None, None, *found

    @staticmethod
    def vmap(
        info: Any,
        in_dims: tuple[Any, ...],
        function: Pointwise,
        fuse: bool,
        constants: Constants,
        *tensors: Tensor,
    ) -> tuple[Any, int]:
        """The mapped dimension goes in front, and parameters keep broadcasting against the trailing ones."""
        dims = in_dims[3:]
        rank = max(t.ndim - (dim is not None) for t, dim in zip(tensors, dims, strict=True))
        moved = []
        for tensor, dim in zip(tensors, dims, strict=True):
            if dim is None:
                moved.append(tensor)
                continue
            front = tensor.movedim(dim, 0)
            moved.append(front.reshape(front.shape[0], *(1,) * (rank + 1 - front.ndim), *front.shape[1:]))
        return _Apply.apply(function, fuse, constants, *moved), 0


# torch asks for it at every call, and reading it off the code took 20 of the 290 µs of tact on 16,384 elements.
_Apply.forward.__signature__ = inspect.signature(_Apply.forward)  # type: ignore[attr-defined]


def _value(function: Pointwise, constants: Constants, x: Tensor, *parameters: Tensor) -> tuple[Tensor]:
    dtype = opmath(x.dtype)
    return (function.value(x.to(dtype), *(p.to(dtype) for p in parameters), **dict(constants)).to(x.dtype),)


def _vjp(function: Pointwise, constants: Constants, grad: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    dtype = opmath(inputs[0].dtype)
    grads = function.vjp(grad.to(dtype), *(t.to(dtype) for t in inputs), **dict(constants))
    return tuple(summed(g, t.shape).to(t.dtype) for g, t in zip(grads, inputs, strict=True))
