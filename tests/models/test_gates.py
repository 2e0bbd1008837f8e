"""Tests of the roles that models.sites gives: a gate is one by whatever way it goes to the tensor that it scales."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import torch
import torchvision
import transformers
from torch import Tensor, nn
from torch.nn import functional as F

import models
from made_networks import Body, recorded

X = torch.randn(4, 8)


def roles_of(between: Callable[..., Tensor], **modules: nn.Module) -> list[tuple[str, str]]:
    return [(site.op, site.role) for site in models.sites(Body(between, **modules), X)]


class AttentionGate(nn.Module):
    """The gate of an attention U-Net: computed at half size, made large in some way, multiplied."""

    def __init__(self, way: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.one, self.gate, self.last = nn.Conv2d(3, 4, 3, 1, 1), nn.Conv2d(4, 4, 3, 2, 1), nn.Conv2d(4, 2, 1)
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.one(x))
        return self.last(self.way(x, F.avg_pool2d(x, 2), torch.sigmoid(self.gate(x))))


@pytest.mark.parametrize(
    "way",
    [
        lambda x, small, g: x * F.interpolate(g, scale_factor=2.0),
        lambda x, small, g: x * F.pixel_shuffle(g, 2),
        lambda x, small, g: x * g.repeat_interleave(2, 2).repeat_interleave(2, 3),
        lambda x, small, g: x * F.pad(g, (2, 2, 2, 2)),
        lambda x, small, g: x * F.conv_transpose2d(x, torch.ones(4, 4, 1, 1)) * nn.Upsample(scale_factor=2)(g),
        lambda x, small, g: small * g[:, :1].repeat(1, 4, 1, 1),
        lambda x, small, g: small * g.transpose(2, 3).contiguous().transpose(2, 3),
        lambda x, small, g: small * g.clone().to(torch.float64).float(),
        lambda x, small, g: small * g.clamp(min=0.05),
        lambda x, small, g: small * g.clamp(min=0).clamp(0, 1),
        lambda x, small, g: small * F.max_pool2d(g, 3, 1, 1),
        lambda x, small, g: small * torch.cat([g[:, :2], 1 - g[:, :2]], 1),
        lambda x, small, g: small * g.masked_fill(small > 1, 0.0),
        lambda x, small, g: small * torch.where(small > 1, torch.ones(()), g),
        lambda x, small, g: small * (g + 1e-3).sqrt(),
        lambda x, small, g: small * g**2,
        lambda x, small, g: small * torch.exp(-g),
        lambda x, small, g: small * (g > 0.5).float(),
        lambda x, small, g: small * g.roll(1, 1).flip(2),
        lambda x, small, g: small / (1 + g),
        lambda x, small, g: small * (g / g.sum(1, keepdim=True)),
        lambda x, small, g: small * g.mean(1, keepdim=True),
        lambda x, small, g: small.mul_(g),
        lambda x, small, g: g * small + (torch.ones_like(g) - g) * small.roll(1),
        lambda x, small, g: (
            (g.flatten(2) @ small.flatten(2).transpose(1, 2)).unsqueeze(1).mean((2, 3), keepdim=True) * x
        ),
    ],
)
def test_a_gate_is_one_whatever_is_done_to_it_before_the_product(
    way: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> None:
    x = torch.randn(2, 3, 8, 8)
    assert [site.role for site in models.sites(AttentionGate(way), x) if site.op == "sigmoid"] == ["gate"]
    assert "sigmoid" not in {site.op for site in models.sites(AttentionGate(way), x) if site.role == "hidden"}


@pytest.mark.parametrize(
    "between",
    [
        lambda net, x: torch.tanh(x),
        lambda net, x: torch.tanh(x) + x,
        lambda net, x: torch.tanh(x).clone().contiguous() * 2 - 1,
        lambda net, x: torch.tanh(x) * net.scale,
        lambda net, x: torch.tanh(x) * net.scale.view(1, -1).expand(4, -1),
        lambda net, x: torch.tanh(x) * (torch.rand_like(x) > 0.1),
        lambda net, x: F.layer_norm(torch.tanh(x), (8,)) * x,
        lambda net, x: net.inner(torch.tanh(x)) * x,
        lambda net, x: torch.tanh(x) @ torch.ones(8, 8) * x,
    ],
)
def test_a_hidden_activation_is_none(between: Callable[..., Tensor]) -> None:
    class Scaled(Body):
        def __init__(self) -> None:
            super().__init__(between, inner=nn.Linear(8, 8))
            self.scale = nn.Parameter(torch.ones(8))

    assert [(site.op, site.role) for site in models.sites(Scaled(), X)] == [("tanh", "hidden")]


def test_what_a_gate_made_of_it_scales_is_none() -> None:
    found = roles_of(
        lambda net, x: (h := torch.tanh(x)) * torch.sigmoid(net.up(F.relu(net.down(h)))),
        down=nn.Linear(8, 2),
        up=nn.Linear(2, 8),
    )
    assert found == [("tanh", "hidden"), ("relu", "hidden"), ("sigmoid", "gate")]


@pytest.mark.parametrize(
    "between",
    [
        lambda net, x: x * (F.relu6(x + 3) / 6),
        lambda net, x: x * F.relu6(x + 3) / 6,
        lambda net, x: x * F.relu6(x + 3.0, inplace=True) * (1 / 6),
        lambda net, x: x * net.relu6(x + 3) / 6,
    ],
)
def test_a_hard_sigmoid_that_is_written_out_is_a_gate(between: Callable[..., Tensor]) -> None:
    assert roles_of(between, relu6=nn.ReLU6()) == [("relu6", "gate")]
    assert roles_of(lambda net, x: F.relu6(x) * net.gate(x), gate=nn.Linear(8, 8)) == [("relu6", "hidden")]


def test_the_weights_of_a_router_are_gates() -> None:
    """DeepSeek-V3's: the largest sigmoids, picked, divided by their sum."""

    class Router(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.router, self.last = nn.Linear(8, 8), nn.Linear(8, 4), nn.Linear(8, 2)
            self.experts = nn.ModuleList(nn.Sequential(nn.Linear(8, 8), nn.ReLU()) for _ in range(4))

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            scores = self.router(x).sigmoid()
            chosen = scores.topk(2, dim=-1).indices
            weights = scores.gather(1, chosen)
            weights = weights / (weights.sum(-1, keepdim=True) + 1e-20) * 2.5
            y = torch.zeros_like(x)
            for number, expert in enumerate(self.experts):
                rows, turns = torch.where(chosen == number)
                y.index_add_(0, rows, expert(x[rows]) * weights[rows, turns, None])
            return self.last(y)

    assert Counter((site.op, site.role) for site in models.sites(Router(), torch.randn(64, 8))) == {
        ("relu", "hidden"): 4,
        ("sigmoid", "gate"): 1,
    }


def test_a_matrix_made_of_weights_is_a_layer() -> None:
    """Falcon's linear layers."""
    net = Body(lambda net, x: x)
    net.forward = lambda x: torch.tanh(x @ net.first.weight.t()) @ net.last.weight.T  # type: ignore[method-assign]
    assert [(site.op, site.role) for site in models.sites(net, X)] == [("tanh", "hidden")]


def test_a_bounded_function_on_the_logits_of_a_softmax_belongs_to_the_attention() -> None:
    def capped(net: Body, x: Tensor) -> Tensor:
        return (50 * torch.tanh(x @ x.t() / 50)).softmax(-1) @ x

    def biased(net: Body, x: Tensor) -> Tensor:
        return (x @ x.t() + 16 * torch.sigmoid(net.bias(torch.ones(4, 8)))).softmax(-1) @ x

    def given(net: Body, x: Tensor) -> Tensor:
        one = x.view(1, 1, 4, 8)
        bias = torch.sigmoid(net.bias(torch.ones(4, 8)))
        return F.scaled_dot_product_attention(one, one, one, attn_mask=bias).view(4, 8)

    assert roles_of(capped) == [("tanh", "attention"), ("softmax", "attention")]
    assert roles_of(biased, bias=nn.Linear(8, 4)) == [("sigmoid", "attention"), ("softmax", "attention")]
    assert roles_of(given, bias=nn.Linear(8, 4)) == [("sigmoid", "attention")]


def gemma2() -> nn.Module:
    config = transformers.Gemma2Config(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2, head_dim=4
    )
    return transformers.Gemma2ForCausalLM._from_config(config, attn_implementation="eager")


def mamba() -> nn.Module:
    return transformers.MambaModel(transformers.MambaConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1))


def swin_v2() -> nn.Module:
    return torchvision.models.SwinTransformer(
        [4, 4], 8, [2], [2], [4, 4], block=torchvision.models.swin_transformer.SwinTransformerBlockV2
    )


@pytest.mark.parametrize(
    ("make", "shape", "expected"),
    [
        (gemma2, None, {"hidden": {"gelu": 1}, "attention": {"tanh": 1, "softmax": 1}, "output": {"tanh": 1}}),
        (mamba, None, {"hidden": {"silu": 2}, "gate": {"softplus": 1}}),
        (swin_v2, (2, 3, 16, 16), {"hidden": {"gelu": 2, "relu": 2}, "attention": {"sigmoid": 2, "softmax": 2}}),
    ],
)
def test_caps_biases_and_time_steps_are_not_hidden(
    make: Callable[[], nn.Module], shape: tuple[int, ...] | None, expected: dict[str, dict[str, int]]
) -> None:
    x = torch.randn(shape) if shape else torch.randint(20, (2, 3))
    found: dict[str, Counter[str]] = {}
    for site in models.sites(make(), x):
        found.setdefault(site.role, Counter())[site.op.removesuffix("tanh") or "tanh"] += 1
    assert found == expected
    put: list[nn.Module] = []
    net = models.swap(make(), lambda shape: put.append(nn.Mish()) or put[-1], x)
    left = Counter(site.op for site in models.sites(net, x) if site.role != "hidden")
    assert len(put) == sum(expected["hidden"].values())
    assert left == sum((Counter(ops) for role, ops in expected.items() if role != "hidden"), Counter())
    assert recorded(net.eval(), x)["mish"] == len(put)
