"""The record of an activation: `Activation(name="elu", ...)`, one in the catalogue for each; torch-free."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from activations._arguments import Choice, Number

if TYPE_CHECKING:
    from torch import nn

ParametersPer: TypeAlias = Literal["channel", "unit", "layer"]


@dataclass(frozen=True)
class Accuracy:
    """How far results may lie from the exact ones, as the contract measures it (`activations.contract.accuracy`).

    Allowed is `ulp` * u(f) + `argument_ulp` * |x f'(x)| * eps + `absolute_eps` * |x| * eps, where u(f) is the unit in
    the last place at the largest |f| within min(1/4, |x|/4) of x, so that a root at 0 is asked for relative accuracy
    and another one is not. Units and eps are those of the dtype that the function is computed in, float32 for the half
    types; these get `half_ulp` units of their own more, for the rounding at the end. Below 2^10 times the smallest
    normal number results may be zero; beyond the largest finite one they may be infinite.

    Attributes:
        ulp: of the value, in units in the last place.
        derivative_ulp: of the derivative, likewise.
        argument_ulp: what rounding the argument of an inner function (`beta * x`, `-x * x / 2`) may cost besides; of
            value and derivative.
        absolute_eps: what a cancellation in the formula may cost besides (torch's `1 + erf(x)`); of the value.
        derivative_absolute_eps: of the derivative, likewise (torch's `y * (1 - y)`); None: the same.
        half_ulp: of value and derivative in the half types; more than half a unit where steps are rounded too.
        stepwise: every step is computed in the half type itself, so that all units and eps are its own.
        reason: why, where one of them differs from the default.
    """

    ulp: float = 2.0
    derivative_ulp: float = 4.0
    argument_ulp: float = 0.0
    absolute_eps: float = 0.0
    derivative_absolute_eps: float | None = None
    half_ulp: float = 0.5
    stepwise: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Activation:
    """What the suite knows about one activation.

    Attributes:
        name: the key everywhere: case ids, baselines, options.
        label: how tables and the literature write it.
        family: the group it belongs to in the survey's sense: `sigmoid`, `tanh`, `rectifier`, `exponential`,
            `self_gated`, `gated_linear`, `oscillating`, `learned`, `linear`, `output`; `user` for a user's own.
        source: the paper (arXiv id) or the code that defines it.
        aliases: other names that `build`, `info` and every command line option accept.
        variant_of: the activation that it was derived from, if any: the edges of the family tree.
        formula: the source's own formula, `(m, x, **values) -> y` with mpmath for m: exact at any precision. The
            keywords are the constants and trainable parameters it needs, by their names; a parameter with several
            values comes as a list. For gated linear units `(m, a, b)`, b being what the gate sees. None where
            there is no elementwise formula.
        surrogate: for a backward pass that is not the derivative of the formula: the function, of the formula's
            arguments, by whose derivative it multiplies. None where it is the formula itself.
        function: the functional form, `"package.module:name"`: a function of torch, or one of our `Pointwise`.
        module: the `nn.Module` class, likewise, or a factory; None builds `Elementwise(function)`.
        arguments: what the module takes: constants and initial values, with their defaults and limits.
        parameters: trainable parameters by name, with their initial values; typical ones where they are drawn.
        shared: what the source shares among all sites of a network, as arguments of the module that `build` takes too
            and `per_site` gives: by their names what makes each, `"package.module:name"`, from `arguments`.
        parameters_per: one set of them per `channel`, per `unit` (channel and pixel) or per `layer`.
        weight_decay: what the source asks for on these parameters; None leaves it to the recipe.
        kinks: points where the derivative jumps; or a function of constants and parameters (`(**values) -> kinks`).
        in_features_multiplier: inputs for each output: 2 for gated linear units.
        stochastic: whether training draws noise; such modules take a `generator`.
        accuracy: bounds on the numeric error.
        exceptions: checks of the contract that it does not pass, each with the reason.
        notes: what a reader must know: reconstruction, uncertain source, name clash.
        code: digest of the file of a user's own and of what it imports from beside it; empty for all others.
    """

    name: str
    label: str
    family: str
    source: str
    aliases: tuple[str, ...] = ()
    variant_of: str | None = None
    formula: Callable[..., Any] | None = None
    surrogate: Callable[..., Any] | None = None
    function: str | None = None
    module: str | Callable[..., nn.Module] | None = None
    arguments: Mapping[str, Number | Choice] = field(default_factory=dict)
    parameters: Mapping[str, float | tuple[float, ...]] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    parameters_per: ParametersPer | None = None
    weight_decay: float | None = None
    kinks: tuple[float, ...] | Callable[..., tuple[float, ...]] = ()
    in_features_multiplier: int = 1
    stochastic: bool = False
    accuracy: Accuracy = field(default_factory=Accuracy)
    exceptions: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    code: str = ""

    @property
    def factory(self) -> Callable[..., nn.Module] | None:
        """What `module` names; None where a module is made from the function."""
        resolved: Callable[..., nn.Module] | None
        resolved = pkgutil.resolve_name(self.module) if isinstance(self.module, str) else self.module
        return resolved

    @property
    def defaults(self) -> dict[str, Any]:
        """Of the arguments."""
        return {name: argument.default for name, argument in self.arguments.items()}
