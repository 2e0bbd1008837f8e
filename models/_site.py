"""A site of a network: where it uses an activation, which one, and what for.

Importing this module does not load torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Kind: TypeAlias = Literal["module", "function"]
Role: TypeAlias = Literal["hidden", "gate", "pooler", "attention", "output"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True)
class Site:
    """The n-th use of an activation in the body of a module that is not itself one, its caller.

    Attributes:
        path: qualified name of the caller; empty for the network itself.
        index: n, from 0.
        kind: whether the caller runs a module or calls a function.
        name: qualified name of the module, or name of the function.
        op: the activation, such as `relu` or `gelu`; also where it is written out, as `x.clamp(min=0)` or
            `torch.maximum(x, zeros)` are `relu`, and `where` for `torch.where(x > 0, x, ...)`.
        shape: of one example behind it, batch left out.
        channel_dim: which dimension of the shape is the channels: 0 behind a convolution, -1 behind a linear layer.
        role: `gate` for a bounded function (sigmoid, tanh, their hard forms, relu6 of something plus 3), softplus or
            log_sigmoid whose result scales another tensor, by whatever way it goes there, and for glu; `pooler` inside
            a module whose class is named so (BERT's tanh); `attention` for a softmax, and for a bounded function
            whose result it takes in (Gemma 2's soft cap); `output` for what no layer with weights runs after; `hidden`
            for all else.
    """

    path: str
    index: int
    kind: Kind
    name: str
    op: str
    shape: tuple[int, ...]
    channel_dim: int
    role: Role

    @property
    def parameter_shape(self) -> tuple[int, ...]:
        """What sizes trainable parameters: behind a linear layer its features alone, whatever the number of tokens."""
        return self.shape if self.channel_dim == 0 else (*(1 for _ in self.shape[:-1]), *self.shape[-1:])
