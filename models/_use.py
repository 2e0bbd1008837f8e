"""What one run of a network shows: its uses of activations, and which modules ran.

Importing this module does not load torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from models._site import Role


@dataclass(eq=False)
class Use:
    """One activation in the body of a caller.

    Attributes:
        op: the activation function.
        name: path of the module, or name of the function as it was called.
        is_module: which of these.
        shape: of one example behind it.
        channel_dim: of that shape: 0 after a convolution, -1 after a linear layer or a layer norm of one dimension.
        time: when it ran, as the number of functions called before.
        pooler: whether it runs in a module that calls itself a pooler.
        gate: whether its result scales another tensor, see `models._flow`.
        attention: whether its result bounds the logits of a softmax.
        bounded: whether it is, as a module that is written out in arithmetic.
        differentiated: whether a `torch.autograd.Function` calls it, whose gradient stays what it is.
        role: that a module from an earlier swap brings along.
    """

    op: str
    name: str
    is_module: bool
    shape: tuple[int, ...]
    channel_dim: int
    time: int
    pooler: bool
    gate: bool = False
    attention: bool = False
    bounded: bool = False
    differentiated: bool = False
    role: Role | None = None


@dataclass
class Trace:
    """What a run showed.

    Attributes:
        uses: by the path of the caller, in the order of its body.
        calls: by the path of the caller, the paths of the modules that its body runs.
        layers: when functions with weights ran.
        ran: the paths of all modules that ran.
        missed: activations that a larger kernel, compiled code or a `torch.autograd.Function` ran, with the paths of
            their callers.
    """

    uses: dict[str, list[Use]] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)
    layers: list[int] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    missed: set[tuple[str, str]] = field(default_factory=set)
