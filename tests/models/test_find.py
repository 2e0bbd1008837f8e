"""Tests of models.sites: names, shapes, channels and roles of what is found, and that looking moves nothing."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
import transformers
from torch import Tensor, nn
from torch.nn import functional as F

import models
from made_networks import NASTY, Body, nasty, recorded, sine


def roles_of(between: Callable[[Any, Tensor], Tensor], **modules: nn.Module) -> list[tuple[str, str]]:
    return [(site.op, site.role) for site in models.sites(Body(between, **modules), torch.randn(4, 8))]


def test_sites_name_caller_operation_and_shape() -> None:
    with torch.device("meta"):
        sites = models.sites(torchvision.models.resnet18())
    assert sites[0] == models.Site("", 0, "module", "relu", "relu", (64, 112, 112), 0, "hidden")
    assert sites[1] == models.Site("layer1.0", 0, "module", "layer1.0.relu", "relu", (64, 56, 56), 0, "hidden")
    assert sites[2] == models.Site("layer1.0", 1, "module", "layer1.0.relu", "relu", (64, 56, 56), 0, "hidden")
    assert len(sites) == 17


@pytest.mark.parametrize(
    ("name", "roles"),
    [
        ("squeeze_excite", {"hidden": 2, "gate": 1}),
        ("recurrent", {"hidden": 1, "gate": 3}),
        ("nested", {"hidden": 7, "gate": 1}),
    ],
)
def test_gates_are_told_from_hidden_sites(name: str, roles: dict[str, int]) -> None:
    net, x = nasty(name)
    assert Counter(site.role for site in models.sites(net, x)) == roles


@pytest.mark.parametrize(
    "gated",
    [
        lambda h, g: h * g,
        lambda h, g: h * (1 + g),
        lambda h, g: (1 - g) * h,
        lambda h, g: h * (2 * g),
        lambda h, g: torch.lerp(h, -h, g),
        lambda h, g: torch.einsum("bi,bi->bi", h, g),
        lambda h, g: h * F.dropout(g, 0.1),
        lambda h, g: torch.mul(h, other=g),
    ],
)
def test_a_gate_is_one_by_whatever_arithmetic_it_multiplies(gated: Callable[[Tensor, Tensor], Tensor]) -> None:
    assert roles_of(lambda net, x: gated(x, torch.sigmoid(net.gate(x))), gate=nn.Linear(8, 8)) == [("sigmoid", "gate")]


def test_a_hidden_activation_that_is_scaled_or_shifted_is_no_gate() -> None:
    assert roles_of(lambda net, x: 2 * torch.tanh(x) - 1) == [("tanh", "hidden")]
    assert roles_of(lambda net, x: F.relu6(x) + x) == [("relu6", "hidden")]
    assert roles_of(lambda net, x: x * (F.relu6(x + 3) / 6)) == [("relu6", "gate")]


def test_a_gate_of_the_users_own_is_a_gate() -> None:
    class HSigmoid(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu6(x + 3) / 6

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.gate = nn.Linear(4, 4), HSigmoid()

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(x * self.gate(self.layer(x)))

    assert [(site.op, site.role) for site in models.sites(Gated())] == [("hsigmoid", "gate")]


def test_what_no_layer_comes_after_is_output() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 2), nn.Softmax(1))
    assert [(site.op, site.role) for site in models.sites(net)] == [("sigmoid", "hidden"), ("softmax", "output")]


def test_a_softmax_inside_is_attention() -> None:
    config = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=12, image_size=8, patch_size=4
    )
    net = transformers.ViTForImageClassification(config)
    net.set_attn_implementation("eager")
    sites = models.sites(net, {"pixel_values": torch.zeros(2, 3, 8, 8)})
    assert [(site.op, site.role) for site in sites] == [("softmax", "attention"), ("gelu", "hidden")]


def test_an_activation_of_a_parameter_is_no_site() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.scale = nn.Linear(4, 4), nn.Parameter(torch.ones(4))

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(F.relu(self.layer(x)) * F.softplus(self.scale))

    net = Scaled()
    assert [site.op for site in models.sites(net)] == ["relu"]
    assert recorded(models.swap(net, sine), torch.zeros(2, 4)) == {"sin": 1, "softplus": 1}


def test_channels_are_followed_where_dimensions_are_reordered() -> None:
    class Reordered(nn.Module):
        def __init__(self, back: bool) -> None:
            super().__init__()
            self.conv, self.norm, self.back = nn.Conv2d(3, 6, 1), nn.LayerNorm(6), back

        def forward(self, x: Tensor) -> Tensor:
            x = self.norm(self.conv(x).permute(0, 2, 3, 1))
            return F.conv2d(
                F.relu(x.movedim(-1, 1) if self.back else x).sum((1, 2, 3), keepdim=True), torch.ones(1, 1, 1, 1)
            )

    flat = Body(lambda net, x: F.relu(x.t().permute(dims=(1, 0)) + torch.ones(2).permute(0).sum()))
    assert [site.channel_dim for site in models.sites(flat, torch.randn(2, 8))] == [-1]
    for back, shape, dim in ((False, (16, 16, 6), -1), (True, (6, 16, 16), 0)):
        (site,) = models.sites(Reordered(back), torch.randn(2, 3, 16, 16))
        assert (site.shape, site.channel_dim) == (shape, dim)


class _LooksAtValues(nn.Module):
    """Cannot run on fake tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.norm = nn.Linear(4, 4), nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(self.norm(self.layer(x)), training=True)
        return self.layer(F.relu(x)) if x.sum().item() < 1e9 else x


@pytest.mark.parametrize("make", [_LooksAtValues, lambda: NASTY["nested"][0]()], ids=["real", "fake"])
def test_looking_leaves_network_and_random_numbers_alone(make: Callable[[], nn.Module]) -> None:
    net = make()
    state = copy.deepcopy(net.state_dict())
    random = torch.get_rng_state()
    parts = [type(module) for module in net.modules()]
    assert models.sites(net)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert [type(module) for module in net.modules()] == parts
    assert net.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_inputs_that_do_not_fit_are_tried_in_silence(capfd: pytest.CaptureFixture[str]) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 26 * 26, 3))
    assert models.sites(net)[0].shape == (2, 26, 26)
    assert capfd.readouterr() == ("", "")


def test_heads_that_run_in_training_only_are_found() -> None:
    with torch.device("meta"):
        net = torchvision.models.googlenet(init_weights=False)
    assert {site.path.split(".")[0] for site in models.sites(net)} >= {"aux1", "aux2"}
