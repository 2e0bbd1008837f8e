"""What is compared: activation functions, as a registry of frozen records.

import activations
activations.names()                        # all of them
activations.info("lrelu").source           # aliases resolve
activations.build("apl", shape=(6, 28, 28))  # an nn.Module, its parameters sized for the site
activations.build("mish", fused=True)      # one pass over memory
activations.per_site("hyperactivation")    # makes those of one network, which share what the source shares
activations.function("elu")(x, alpha=1.0)  # the functional form
activations.properties("silu").range       # facts, computed from the formula
python -m activations --help               # the same as tables, plots and a family tree
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from activations._arguments import Choice, Number
from activations._record import Accuracy, Activation
from activations._registry import build, function, info, names, per_site, register
from activations._user import load

if TYPE_CHECKING:
    from activations._properties import Properties, properties

__all__ = [
    "Accuracy",
    "Activation",
    "Choice",
    "Number",
    "Properties",
    "build",
    "function",
    "info",
    "load",
    "names",
    "per_site",
    "properties",
    "register",
]


def __getattr__(name: str) -> Any:
    """Facts need numpy and scipy; everything else here is to import fast."""
    if name in ("Properties", "properties"):
        return getattr(importlib.import_module("activations._properties"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
