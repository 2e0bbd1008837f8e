"""Who else has these functions: `PEERS["timm"].build("mish", values)`; the mapping is written out, name by name.

A counterpart computes the same function with the same constants as the record, and its constants are trainable
where the record's are. Where a peer has another function under the name, and none that is right, that one stands
here, and `note` says what it computes.

    pip install actbench[peers]
"""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from torch import nn

# (the peer's package, constants and parameters of the record's formula) -> a module
Make: TypeAlias = Callable[[Any, Mapping[str, Any]], "nn.Module"]


@dataclass(frozen=True)
class Counterpart:
    """What a peer has for one of our activations.

    Attributes:
        make: builds it.
        of_torch: whether it hands the call on to torch's own kernel, so that timing it would time torch twice.
        arguments: of ours, where they must differ from the record's defaults to give the same function.
        gate_first: for gated linear units: it gates the first half of the input, not the second.
        note: where it is another function than the record's.
    """

    make: Make
    of_torch: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    gate_first: bool = False
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """A package with activations of its own.

    Attributes:
        name: of the distribution.
        package: what is imported.
        counterparts: by our names.
    """

    name: str
    package: str
    counterparts: Mapping[str, Counterpart]

    @property
    def installed(self) -> bool:
        """Whether it can be found; nothing is imported."""
        return importlib.util.find_spec(self.package.partition(".")[0]) is not None

    def build(self, activation: str, values: Mapping[str, Any]) -> nn.Module:
        """A new module of the peer's.

        Args:
            activation: one of `counterparts`.
            values: the record's constants and trainable parameters by name.

        Raises:
            AttributeError: the installed version lacks it.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch-activation warns of each file that it cannot import
            package = importlib.import_module(self.package)
        return self.counterparts[activation].make(package, values)


def _class(name: str, **known: Any) -> Counterpart:
    """A class that is built without arguments."""
    return Counterpart(lambda package, _: getattr(package, name)(), **known)


def _timm(key: str, of_torch: bool = True) -> Counterpart:
    return Counterpart(lambda layers, _: layers.create_act_layer(key), of_torch)


def _transformers(key: str, of_torch: bool = True) -> Counterpart:
    return Counterpart(lambda activations, _: activations.ACT2FN[key], of_torch)


def _apl(package: Any, values: Mapping[str, Any]) -> nn.Module:
    return _filled(package.APLU(n_hinges=len(values["a"])), a=values["a"], b=values["b"])


def _pau(package: Any, values: Mapping[str, Any]) -> nn.Module:
    return _filled(package.RPAU(m=5, n=4), a=values["numerator"], b=values["denominator"])


def _filled(module: nn.Module, **values: Any) -> nn.Module:
    import torch

    for name, value in values.items():
        module.get_parameter(name).data = torch.tensor(value)
    return module


def _xielu(package: Any, values: Mapping[str, Any]) -> nn.Module:
    import torch

    made = package.ACT2CLS["xielu"](dtype=torch.float32)
    return _filled(made, alpha_p=[values["alpha_p"]], alpha_n=[values["alpha_n"]])


TORCH = Peer(
    "torch",
    "torch.nn",
    {
        "relu": _class("ReLU"),
        "leaky_relu": Counterpart(lambda nn, v: nn.LeakyReLU(v["negative_slope"])),
        "prelu": Counterpart(lambda nn, v: nn.PReLU(init=v["weight"])),
        "rrelu": Counterpart(lambda nn, v: nn.RReLU(v["lower"], v["upper"])),
        "relu6": _class("ReLU6"),
        "softplus": Counterpart(lambda nn, v: nn.Softplus(v["beta"])),
        "threshold": Counterpart(lambda nn, v: nn.Threshold(v["threshold"], v["value"])),
        "softshrink": Counterpart(lambda nn, v: nn.Softshrink(v["lambd"])),
        "hardshrink": Counterpart(lambda nn, v: nn.Hardshrink(v["lambd"])),
        "elu": Counterpart(lambda nn, v: nn.ELU(v["alpha"])),
        "selu": _class("SELU"),
        "celu": Counterpart(lambda nn, v: nn.CELU(v["alpha"])),
        "identity": _class("Identity"),
        "sigmoid": _class("Sigmoid"),
        "hard_sigmoid_torch": _class("Hardsigmoid"),
        "logsigmoid": _class("LogSigmoid"),
        "softmax": Counterpart(lambda nn, v: nn.Softmax(v["dim"])),
        "tanh": _class("Tanh"),
        "hard_tanh": Counterpart(lambda nn, v: nn.Hardtanh(v["min_val"], v["max_val"])),
        "softsign": _class("Softsign"),
        "tanhshrink": _class("Tanhshrink"),
        "gelu": _class("GELU"),
        "gelu_tanh": Counterpart(lambda nn, _: nn.GELU("tanh")),
        "silu": _class("SiLU"),
        "hardswish": _class("Hardswish"),
        "mish": _class("Mish"),
        "glu": _class("GLU"),
    },
)

# Its Maxout takes the maximum of affine functions of one number, not of several numbers, and is left out; so are the
# functions that it lacks.
TORCH_ACTIVATION = Peer(
    "torch-activation",
    "torch_activation",
    {
        "relu": _class("ReLU", of_torch=True),
        "leaky_relu": Counterpart(lambda tac, v: tac.LReLU(1 / v["negative_slope"])),
        # x / a below zero, where the paper has a * x
        "prelu": Counterpart(lambda tac, v: tac.PReLU(1 / v["weight"], learnable=True)),
        "apl": Counterpart(_apl),
        "rrelu": Counterpart(lambda tac, _: tac.RReLU(), arguments={"convention": "paper"}),
        # tac.SReLU is relu(x - 1)
        "srelu": Counterpart(
            lambda tac, v: tac.adaptive.s_shaped.SReLU(v["t_right"], v["t_left"], v["a_right"], v["a_left"])
        ),
        "relu6": Counterpart(lambda tac, _: tac.ReLUN(6.0)),
        "relu_squared": _class("SquaredReLU"),
        "star_relu": Counterpart(lambda tac, v: tac.StarReLU(v["s"], v["b"], learnable=True)),
        "softplus": Counterpart(lambda tac, v: tac.Softplus(v["beta"]), of_torch=True),
        "squareplus": Counterpart(lambda tac, v: tac.SquarePlus(v["b"])),
        "softshrink": Counterpart(lambda tac, v: tac.Softshrink(v["lambd"])),
        "hardshrink": Counterpart(lambda tac, v: tac.Hardshrink(v["lambd"])),
        "selu": _class("ScaledExponentialLinearUnit"),
        "celu": Counterpart(lambda tac, v: tac.CELU(v["alpha"])),
        "pelu": Counterpart(lambda tac, v: tac.PELU(v["a"], v["b"], learnable=True)),
        "elish": _class("ExponentialLinearSigmoidSquashing"),
        "hard_elish": _class("HardExponentialLinearSigmoidSquashing", note="(1 + exp(-x)) h(x) below zero"),
        "binary_step": Counterpart(lambda tac, _: tac.Binary(0.0, float("inf")), note="gradient 1, straight through"),
        "sigmoid": _class("Sigmoid", of_torch=True),
        "hard_sigmoid": _class("HardSigmoid"),
        "logsigmoid": _class("LogSigmoid", of_torch=True),
        "dsilu": _class("dSiLU"),
        "softmax": Counterpart(lambda tac, v: tac.Softmax(v["dim"]), of_torch=True),
        "tanh": _class("Tanh", of_torch=True),
        "hard_tanh": Counterpart(lambda tac, v: tac.HardTanh(v["min_val"], v["max_val"])),
        "softsign": _class("Softsign"),
        "penalized_tanh": Counterpart(lambda tac, _: tac.PTanh(4.0)),
        "gelu": _class("GELU", of_torch=True),
        "gelu_sigmoid": Counterpart(lambda tac, _: tac.Swish(1.702)),
        "silu": _class("SiLU", of_torch=True),
        "swish_beta": Counterpart(lambda tac, v: tac.Swish(v["beta"], learnable=True)),
        "hardswish": _class("HardSwish"),
        "mish": _class("Mish"),
        "serf": _class("Serf"),
        "logish": _class("Logish"),
        "telu": _class("TanhExp"),  # tac.TeLU is x tanh(ELU(x))
        "acon_c": Counterpart(lambda tac, v: tac.ACONC(v["beta"], v["p2"], v["p1"], learnable=True)),
        "gcu": _class("GCU"),
        "pau": Counterpart(_pau),
        "glu": Counterpart(lambda tac, _: tac.classical.glu.GLU(), of_torch=True),
        "swiglu": Counterpart(lambda tac, _: tac.classical.glu.SwiGLU(), gate_first=True),
        "geglu": Counterpart(lambda tac, _: tac.classical.glu.GEGLU(), gate_first=True),
        "reglu": Counterpart(lambda tac, _: tac.classical.glu.ReGLU(), gate_first=True),
    },
)

TIMM = Peer(
    "timm",
    "timm.layers",
    {
        "relu": _timm("relu"),
        "leaky_relu": _timm("leaky_relu"),
        "prelu": _timm("prelu"),
        "relu6": _timm("relu6"),
        "elu": _timm("elu"),
        "selu": _timm("selu"),
        "celu": _timm("celu"),
        "identity": _timm("identity"),
        "sigmoid": _timm("sigmoid"),
        "hard_sigmoid_torch": _timm("hard_sigmoid"),
        "tanh": _timm("tanh"),
        "gelu": _timm("gelu"),
        "gelu_tanh": _timm("gelu_tanh"),
        "gelu_sigmoid": _timm("quick_gelu", of_torch=False),
        "silu": _timm("silu"),
        "hardswish": _timm("hard_swish"),
        "mish": _timm("mish"),
    },
)

TRANSFORMERS = Peer(
    "transformers",
    "transformers.activations",
    {
        "relu": _transformers("relu"),
        "leaky_relu": _transformers("leaky_relu"),
        "prelu": _transformers("prelu"),
        "relu6": _transformers("relu6"),
        "relu_squared": _transformers("relu2", of_torch=False),
        "xielu": Counterpart(_xielu),
        "identity": _transformers("linear"),
        "sigmoid": _transformers("sigmoid"),
        "tanh": _transformers("tanh"),
        "gelu": _transformers("gelu"),
        # `gelu_pytorch_tanh` is torch's own; this is the key of GPT-2 and of most configurations
        "gelu_tanh": _transformers("gelu_new", of_torch=False),
        "gelu_sigmoid": _transformers("quick_gelu", of_torch=False),
        "silu": _transformers("silu"),
        "hardswish": _transformers("hardswish"),
        "mish": _transformers("mish"),
    },
)

# torch's own functions are compared like a peer's.
PEERS = {peer.name: peer for peer in (TORCH, TORCH_ACTIVATION, TIMM, TRANSFORMERS)}


def is_native(activation: str) -> bool:
    """Whether torch has it."""
    return activation in TORCH.counterparts
