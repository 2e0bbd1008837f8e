"""The vision transformer: beside torchvision's, what each token sees, its sizes, and what stands for its norms."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.models import VisionTransformer

import models

SMALL = {"patch": 4, "width": 24, "depth": 2, "heads": 2}


def built(activation: str = "relu", **sizes: object) -> nn.Module:
    torch.manual_seed(0)
    return models.build("vit", input_shape=(3, 16, 16), num_classes=10, activation=activation, **{**SMALL, **sizes})


def images(rows: int = 3) -> torch.Tensor:
    return torch.randn(rows, 3, 16, 16, generator=torch.Generator().manual_seed(1))


OF_TORCHVISION = {
    "patches": "conv_proj",
    "positions": "encoder.pos_embedding",
    "blocks.": "encoder.layers.encoder_layer_",
    "attention_norm": "ln_1",
    "feed_forward_norm": "ln_2",
    "attention.inputs.": "self_attention.in_proj_",
    "attention.output": "self_attention.out_proj",
    "feed_forward.0": "mlp.0",
    "feed_forward.2": "mlp.3",
    "head": "heads.head",
}


def name_of_torchvision(name: str) -> str:
    for ours, theirs in OF_TORCHVISION.items():
        name = name.replace(ours, theirs)
    return "encoder.ln" + name.removeprefix("norm") if name.startswith("norm") else name


def test_with_the_weights_of_torchvisions_it_gives_the_same_logits():
    torch.manual_seed(2)
    theirs = VisionTransformer(16, 4, 2, 2, 24, 96, num_classes=10).eval()
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = built("gelu")
    weights = theirs.state_dict()
    ours.load_state_dict(
        {name: weights[name_of_torchvision(name)].view_as(own) for name, own in ours.state_dict().items()}
    )
    assert len(weights) == len(ours.state_dict())
    torch.testing.assert_close(ours(images()), theirs(images()))


def test_its_defaults_are_the_sizes_of_deit_ti():
    """5,717,416 parameters (timm's deit_tiny_patch16_224)."""
    with torch.device("meta"):
        net = models.build("vit", input_shape=(3, 224, 224), num_classes=1000, activation="gelu")
    assert sum(parameter.numel() for parameter in net.parameters()) == 5_717_416


def test_the_class_is_told_of_every_patch_and_of_no_pixel_beyond_them():
    net = models.build("vit", input_shape=(1, 9, 10), num_classes=3, activation="gelu", initializer_range=0.3, **SMALL)
    x = torch.randn(1, 1, 9, 10, requires_grad=True)
    net(x).square().sum().backward()
    seen = (x.grad != 0)[0, 0]
    assert seen[:8, :8].all()
    assert not seen[8:].any()
    assert not seen[:, 8:].any()


def test_the_place_of_a_patch_matters():
    net, x = built(initializer_range=0.3), images(1)
    moved = x.roll(4, dims=3)
    assert not torch.allclose(net(x), net(moved))
    nn.init.zeros_(net.positions)
    torch.testing.assert_close(net(x), net(moved))


@pytest.mark.parametrize("activation", ["swiglu", "geglu"])
def test_gates_have_two_thirds_of_the_units_at_equal_parameters_and_twice_as_many_inputs(activation):
    plain, gated = (built(name, width=96) for name in ("relu", activation))
    assert gated.blocks[0].feed_forward[2].in_features == 256
    assert gated.blocks[0].feed_forward[0].out_features == 512
    total = [sum(map(torch.numel, net.parameters())) for net in (plain, gated)]
    assert total[1] == pytest.approx(total[0], rel=0.005)  # a bias a unit more


@pytest.mark.parametrize(
    ("norm", "names"), [("dyt", {"alpha", "gamma", "beta"}), ("derf", {"alpha", "shift", "gamma", "beta"})]
)
def test_without_norms_each_number_is_mapped_by_itself_and_all_that_is_trained_there_trains(norm, names):
    net = built(norm=norm)
    assert not [module for module in net.modules() if isinstance(module, nn.LayerNorm)]
    net(images()).square().sum().backward()
    assert {name for name, _ in net.norm.named_parameters()} == names
    assert all(parameter.grad is not None for parameter in net.parameters())
    x = torch.randn(2, 24)
    changed = x.clone()
    changed[0, 0] += 1
    assert (net.norm(changed) != net.norm(x)).sum() == 1


@pytest.mark.parametrize("norm", ["layer_norm", "dyt", "derf"])
def test_the_other_weights_are_the_same_whatever_stands_for_a_norm_and_whatever_the_activation(norm):
    net, other = built("relu"), built("tanh", norm=norm)
    others = dict(other.named_parameters())
    for name, one in net.named_parameters():
        assert "norm" in name or torch.equal(one, others[name])


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"patch": 32}, "no patch of 32 pixels a side fits into 16 x 16"),
        ({"heads": 5}, "5 heads do not divide a width of 24"),
        ({"norm": "rms"}, "unknown norm 'rms'; known: layer_norm, dyt, derf"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, words):
    with pytest.raises(ValueError, match=words):
        built(**sizes)
