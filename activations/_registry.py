"""The catalogue: one frozen record an activation. `activations.names()` lists it, `activations.info("elu")` reads it.

Importing this module loads neither torch nor numpy, so that collecting the whole matrix stays fast.
A new activation is one entry in `_ENTRIES` and one function of the same name in `reference.py`.
"""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Activation:
    """What the suite knows about one activation.

    Attributes:
        name: the key everywhere: case ids, baselines, options.
        label: how tables and the literature write it.
        family: the group it belongs to in the survey's sense (`sigmoid`, `rectifier`, `exponential`, ...).
        module: the `nn.Module` class, as `"package.module:Name"` (imported when first built) or the class itself.
        source: the paper (arXiv id) or the code that defines it.
        aliases: other names that `build`, `info` and every command line option accept.
        defaults: keyword arguments that differ from, or pin down, the defaults of the module.
        kinks: points where the derivative jumps.
        parameters: names of the trainable parameters.
        parameters_per: one set of them per `channel`, per `unit` (channel and pixel) or per `layer`.
        weight_decay: what the source asks for on these parameters; None leaves it to the recipe.
        notes: what a reader must know: reconstruction, uncertain source, name clash.
    """

    name: str
    label: str
    family: str
    module: str | Callable[..., nn.Module]
    source: str
    aliases: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    kinks: tuple[float, ...] = ()
    parameters: tuple[str, ...] = ()
    parameters_per: Literal["channel", "unit", "layer"] | None = None
    weight_decay: float | None = None
    notes: str = ""

    @property
    def factory(self) -> Callable[..., nn.Module]:
        if isinstance(self.module, str):
            return cast("Callable[..., nn.Module]", pkgutil.resolve_name(self.module))
        return self.module


_ENTRIES = (
    Activation(
        name="sigmoid",
        label="Sigmoid",
        family="sigmoid",
        module="torch.nn:Sigmoid",
        aliases=("logistic",),
        source="classical; Nwankpa et al. 2018, arXiv 1811.03378",
    ),
    Activation(
        name="tanh",
        label="Tanh",
        family="tanh",
        module="torch.nn:Tanh",
        source="classical; Nwankpa et al. 2018, arXiv 1811.03378",
    ),
    Activation(
        name="relu",
        label="ReLU",
        family="rectifier",
        module="torch.nn:ReLU",
        aliases=("rectifier",),
        kinks=(0.0,),
        source="Nair and Hinton 2010",
    ),
    Activation(
        name="leaky_relu",
        label="LReLU",
        family="rectifier",
        module="torch.nn:LeakyReLU",
        aliases=("lrelu",),
        # Keras has used 0.3 and 0.2; the paper and torch use 0.01.
        defaults={"negative_slope": 0.01},
        kinks=(0.0,),
        source="Maas, Hannun and Ng 2013",
    ),
    Activation(
        name="elu",
        label="ELU",
        family="exponential",
        module="torch.nn:ELU",
        defaults={"alpha": 1.0},
        source="Clevert, Unterthiner and Hochreiter 2015, arXiv 1511.07289",
    ),
    Activation(
        name="selu",
        label="SELU",
        family="exponential",
        module="torch.nn:SELU",
        kinks=(0.0,),
        source="Klambauer et al. 2017, arXiv 1706.02515",
    ),
    Activation(
        name="gelu",
        label="GELU",
        family="gated",
        module="torch.nn:GELU",
        defaults={"approximate": "none"},
        source="Hendrycks and Gimpel 2016, arXiv 1606.08415",
    ),
    Activation(
        name="silu",
        label="SiLU",
        family="gated",
        module="torch.nn:SiLU",
        aliases=("swish",),
        source="Elfwing, Uchibe and Doya 2017, arXiv 1702.03118; Ramachandran et al. 2017, arXiv 1710.05941",
    ),
    Activation(
        name="mish",
        label="Mish",
        family="gated",
        module="torch.nn:Mish",
        source="Misra 2019, arXiv 1908.08681",
    ),
    Activation(
        name="prelu",
        label="PReLU",
        family="rectifier",
        module="torch.nn:PReLU",
        defaults={"init": 0.25},
        kinks=(0.0,),
        parameters=("weight",),
        parameters_per="channel",
        weight_decay=0.0,  # section 2.1 of the paper: decay pulls the slope to zero, that is to ReLU
        source="He et al. 2015, arXiv 1502.01852",
    ),
    Activation(
        name="apl",
        label="APL",
        family="rectifier",
        module="activations.apl:APL",
        aliases=("adaptive_piecewise_linear",),
        defaults={"hinges": 5},  # the CIFAR-10 network of the paper
        kinks=(0.0,),
        parameters=("a", "b"),
        parameters_per="unit",
        weight_decay=1e-3,  # the authors' Caffe solvers decay a and b on purpose, lest the slopes run away
        source="Agostinelli, Hoffman, Sadowski and Baldi 2014, arXiv 1412.6830",
        notes="Trainable hinges b add kinks of their own.",
    ),
    Activation(
        name="tact",
        label="TAct",
        family="gated",
        module="activations.tact:TAct",
        parameters=("alpha", "beta"),
        parameters_per="layer",
        source="Puniani 2020 (MATH 198 report) and github.com/GSPuniani/MBG-Activation-Functions",
        notes="No paper names it; per-layer sharing and U(0, 0.5) come from the authors' scripts.",
    ),
    Activation(
        name="mtact",
        label="mTAct",
        family="gated",
        module="activations.tact:MTAct",
        parameters=("alpha", "beta"),
        parameters_per="layer",
        source="Puniani 2020 (MATH 198 report) and github.com/GSPuniani/MBG-Activation-Functions",
        notes="No paper names it; per-layer sharing and U(0, 0.5) come from the authors' scripts.",
    ),
)

_REGISTRY: dict[str, Activation] = {entry.name: entry for entry in _ENTRIES}
_ALIASES: dict[str, str] = {alias: entry.name for entry in _ENTRIES for alias in entry.aliases}


def names(*, family: str | None = None, trainable: bool | None = None) -> list[str]:
    """Names of the registered activations, in the order of the catalogue.

    Args:
        family: only those of this family.
        trainable: only those with (True) or without (False) trainable parameters.
    """
    return [
        entry.name
        for entry in _REGISTRY.values()
        if family in (None, entry.family) and trainable in (None, bool(entry.parameters))
    ]


def info(name: str) -> Activation:
    """The record of an activation, by name or alias.

    Raises:
        ValueError: no such activation; the message lists the nearest names.
    """
    try:
        return _REGISTRY[_ALIASES.get(name, name)]
    except KeyError:
        known = [*_REGISTRY, *_ALIASES]
        near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(f"unknown activation {name!r}: {hint}known: {', '.join(sorted(known))}") from None


def register(entry: Activation) -> None:
    """Add a user's own activation for this process (`--activation my_file.py:my_act` does it).

    Raises:
        ValueError: the name or an alias is taken by another activation.
    """
    for name in (entry.name, *entry.aliases):
        taken = _REGISTRY.get(_ALIASES.get(name, name))
        again = taken is not None and (taken.family, taken.label, taken.source) == ("user", entry.label, entry.source)
        if taken is not None and not again:
            raise ValueError(f"cannot register activation {name!r}: the name is taken; choose another one")
    _REGISTRY[entry.name] = entry
    _ALIASES.update(dict.fromkeys(entry.aliases, entry.name))


def build(name: str, *, shape: Sequence[int] | None = None, **kwargs: Any) -> nn.Module:
    """A new instance of an activation.

    Args:
        name: name or alias.
        shape: shape of one example at the place of use, batch left out: `(channels, height, width)` after a
            convolution, `(units,)` after a linear layer. Sizes the trainable parameters as the source says
            (`prelu` one a channel, `apl` one set a unit); without it there is one set for the whole place.
        **kwargs: arguments of the module, spelt as torch spells them.

    Raises:
        ValueError: unknown name, or an argument that the module does not take.
    """
    entry = info(name)
    arguments = {**entry.defaults, **kwargs}
    if shape is not None and entry.parameters_per == "channel":
        arguments.setdefault("num_parameters", shape[0])
    if shape is not None and entry.parameters_per == "unit":
        arguments.setdefault("shape", tuple(shape))
    try:
        return entry.factory(**arguments)
    except TypeError as error:
        raise ValueError(f"activation {entry.name!r} cannot be built with {arguments}: {error}") from error
