"""Tests of models.sites and models.swap, by the operations that really run: on ours, torchvision's, transformers' and
nasty networks."""

from __future__ import annotations

import copy
import io
import pickle
import pkgutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
import transformers
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint

import activations
import models

OURS = models.names(slots=False)
# What must be gone after a swap: every kernel behind an activation but the gates'.
KERNELS = (
    "relu",
    "hardtanh",
    "gelu",
    "silu",
    "elu",
    "leaky_relu",
    "mish",
    "softplus",
    "hardswish",
    "tanh",
    "_transformer",
)


class Sine(nn.Module):
    """A marker: no network runs a sine of its own."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sin(x)


class Recorder(TorchDispatchMode):
    """Counts the kernels that run."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.ran[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))

    def activations(self) -> dict[str, int]:
        return {name: n for name, n in self.ran.items() if name == "sin" or name.startswith(KERNELS)}


def recorded(net: nn.Module, *args: Any, **kwargs: Any) -> dict[str, int]:
    """The activations that run in one forward pass."""
    with Recorder() as recorder, torch.no_grad():
        net(*args, **kwargs)
    return recorder.activations()


def sine(shape: tuple[int, ...]) -> nn.Module:
    return Sine()


# Nasty networks: each takes (2, 3, 8, 8) or, where it says so, (2, 6).


class Reuse(nn.Module):
    """One relu for three places."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(6, 5), nn.Linear(5, 4)
        self.three, self.last = nn.Linear(4, 3), nn.Linear(3, 2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.relu(self.three(self.relu(self.two(self.relu(self.one(x)))))))


class Block(nn.Module):
    def __init__(self, relu: nn.Module) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.layer(x))


class Shared(nn.Module):
    """One relu object under three names."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.blocks = nn.ModuleList([Block(self.relu), Block(self.relu)])
        self.last = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return self.last(self.relu(x))


class Lent(nn.Module):
    """A relu that the blocks are called with."""

    class Borrower(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 6)

        def forward(self, x: Tensor, relu: nn.Module) -> Tensor:
            return relu(relu(self.layer(x)))

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.one, self.two, self.last = self.Borrower(), self.Borrower(), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.two(self.one(x, self.relu), self.relu))


class Loop(nn.Module):
    """F.relu in a loop over the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(6, 5), nn.Linear(5, 4), nn.Linear(4, 3)])
        self.last = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.last(x)


class Spellings(nn.Module):
    """A method, torch's own, in place in four ways, two of them as statements."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(6, 6) for _ in range(7))

    def forward(self, x: Tensor) -> Tensor:
        x = self.layers[0](x).relu()
        x = torch.relu(input=self.layers[1](x))
        x = F.relu(self.layers[2](x), inplace=True)
        x = torch.relu_(self.layers[3](x))
        x = self.layers[4](x)
        x.relu_()
        x = self.layers[5](x)
        F.relu(x, inplace=True)
        return self.layers[6](x)


class Nested(nn.Module):
    """A caller of functions between callers of functions."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer, self.last = Loop(), nn.Linear(2, 6), nn.Linear(6, 2)
        self.gate = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.outer(F.relu(self.inner(x))))
        return self.last(F.relu(x * self.gate(x)))


class HandMade(nn.Module):
    """An activation of the user's own."""

    class Mish(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * torch.tanh(F.softplus(x))

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 6), self.Mish(), nn.Linear(6, 2))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class SqueezeExcite(nn.Module):
    """A gate whose sigmoid is called as a function, in Hu et al.'s form: viewed, expanded, multiplied."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.down, self.up = nn.Conv2d(3, 4, 3), nn.Linear(4, 2), nn.Linear(2, 4)
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv(x))
        gate = torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3)))))).view(-1, 4, 1, 1)
        return self.last((x * gate.expand_as(x)).mean((2, 3)))


class Recurrent(nn.Module):
    """A cell of LSTM gates written out, run three times."""

    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 16)

        def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
            gates, candidate = self.layer(torch.cat([x, h], 1)).split([12, 4], 1)
            i, f, o = gates.sigmoid().chunk(3, 1)
            c = f * c + i * torch.tanh(candidate)
            return o * torch.tanh(c), c

    def __init__(self) -> None:
        super().__init__()
        self.first, self.cell, self.last = nn.Linear(6, 12), self.Cell(), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = c = x.new_zeros(len(x), 4)
        for step in F.relu(self.first(x)).chunk(3, 1):
            h, c = self.cell(step, h, c)
        return self.last(h)


class Encoder(nn.Module):
    """torch's own transformer layers, whose activation is a function, with a fused kernel in evaluation."""

    def __init__(self, activation: Any = F.relu) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(6, 2, 5, 0.0, activation, batch_first=True)
        self.first, self.body, self.last = nn.Linear(6, 6), nn.TransformerEncoder(layer, 2), nn.Linear(6, 2)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.last(self.body(self.first(x).unsqueeze(1).expand(-1, 3, -1), src_key_padding_mask=mask))


def only_sequential() -> nn.Module:
    """One relu object at two places of a Sequential, in a Sequential."""
    relu = nn.ReLU()
    return nn.Sequential(nn.Sequential(nn.Linear(6, 6), relu, nn.Linear(6, 6), relu), nn.Linear(6, 2))


# name: (network, shape of an input, hidden places)
NASTY: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "reuse": (Reuse, (2, 6), 3),
    "shared": (Shared, (2, 6), 3),
    "lent": (Lent, (2, 6), 4),
    "loop": (Loop, (2, 6), 3),
    "spellings": (Spellings, (2, 6), 6),
    "nested": (Nested, (2, 6), 7),
    "hand_made": (HandMade, (2, 6), 1),
    "squeeze_excite": (SqueezeExcite, (2, 3, 8, 8), 2),
    "recurrent": (Recurrent, (2, 6), 1),
    "encoder": (Encoder, (2, 6), 2),
    "encoder_module": (lambda: Encoder(nn.ReLU()), (2, 6), 2),
    "sequential": (only_sequential, (2, 6), 2),
}
RELU_NETS = [name for name in NASTY if name != "hand_made"]


def nasty(name: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    make, shape, _ = NASTY[name]
    return make(), torch.randn(shape)


# What runs


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", NASTY)
def test_every_hidden_place_of_a_nasty_network_runs_what_was_put_there(name: str, training: bool) -> None:
    net, x = nasty(name)
    places = NASTY[name][2]
    made = []

    def factory(shape: tuple[int, ...]) -> nn.Module:
        made.append(Sine())
        return made[-1]

    net = models.swap(net, factory, x).train(training)
    for _ in range(2):
        ran = recorded(net, x)
        assert ran.pop("sin") == places == len(made)
        assert set(ran) <= ({"tanh"} if name == "recurrent" else set())


def plain(name: str) -> tuple[nn.Module, Tensor]:
    """A network of ours as its module writes it, and an input, on the meta device: what runs is all that counts."""
    side = max(32, models.info(name).minimum_image_size or 0)
    with torch.device("meta"):
        net = pkgutil.resolve_name(models.info(name).module)((3, side, side), 10)
        return net, torch.empty(2, 3, side, side)


@pytest.mark.parametrize("name", OURS)
def test_no_hidden_activation_is_left_in_our_networks(name: str) -> None:
    net, x = plain(name)
    sites = models.sites(net, x)
    models.swap(net, sine, x)
    ran = recorded(net.eval(), x)
    assert ran.pop("sin") >= sum(site.role == "hidden" for site in sites)
    kept = {site.op for site in sites if site.role == "output"}
    assert {kernel.rstrip("_") for kernel in ran} <= kept


TORCHVISION = {
    "resnet18": 17,
    "resnet50": 49,
    "densenet121": 121,
    "mobilenet_v2": 35,
    "alexnet": 7,
    "vgg16": 15,
    "googlenet": 61,
    "squeezenet1_1": 26,
    "resnext50_32x4d": 49,
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_no_activation_is_left_in_torchvisions_networks(name: str) -> None:
    options = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):  # shapes are all that counts
        net = getattr(torchvision.models, name)(**options)
        x = torch.empty(2, 3, 224, 224)
    models.swap(net, sine, roles=("hidden", "output"))
    assert recorded(net.train(), x) == {"sin": TORCHVISION[name]}
    assert set(recorded(net.eval(), x)) == {"sin"}


def bert() -> tuple[nn.Module, dict[str, Tensor]]:
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12
    )
    return transformers.BertModel(config), {"input_ids": torch.randint(20, (2, 7))}


def gpt2() -> tuple[nn.Module, dict[str, Tensor]]:
    config = transformers.GPT2Config(vocab_size=20, n_positions=16, n_embd=8, n_layer=2, n_head=2)
    return transformers.GPT2LMHeadModel(config), {"input_ids": torch.randint(20, (2, 7))}


def vit() -> tuple[nn.Module, dict[str, Tensor]]:
    config = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12, image_size=8, patch_size=4
    )
    return transformers.ViTForImageClassification(config), {"pixel_values": torch.randn(2, 3, 8, 8)}


@pytest.mark.parametrize("make", [bert, gpt2, vit])
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_transformers_keep_their_pooler_only(
    make: Callable[[], tuple[nn.Module, dict[str, Tensor]]], training: bool
) -> None:
    net, inputs = make()
    models.swap(net, sine)
    assert recorded(net.train(training), **inputs) == {"sin": 2, **({"tanh": 1} if make is bert else {})}


def test_berts_pooler_is_swapped_when_asked_for() -> None:
    net, inputs = bert()
    models.swap(net, sine, roles=("pooler",))
    assert recorded(net.eval(), **inputs) == {"sin": 1, "gelu": 2}


def test_trainable_activations_of_a_transformer_are_sized_by_features_whatever_the_number_of_tokens() -> None:
    net, _ = bert()
    models.swap(net, "apl")
    sizes = {tuple(p.shape) for name, p in net.named_parameters() if "intermediate_act_fn" in name}
    assert {shape[-1] for shape in sizes} == {12}
    for tokens in (1, 5, 9):
        assert net(torch.randint(20, (3, tokens))).last_hidden_state.shape == (3, tokens, 8)


# Nothing else changes


@pytest.mark.parametrize("name", RELU_NETS)
def test_relu_for_relu_changes_no_bit(name: str) -> None:
    net, x = nasty(name)
    swapped = models.swap(copy.deepcopy(net), "relu", x)
    results = []
    for one in (net, swapped):
        leaf = x.clone().requires_grad_()
        result = one(leaf)
        result.square().sum().backward()
        results.append([result, leaf.grad, *(p.grad for p in one.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("activation", ["prelu", "apl"])
@pytest.mark.parametrize("name", NASTY)
def test_trainable_parameters_fit_their_places_and_all_train(name: str, activation: str) -> None:
    net, x = nasty(name)
    before = {id(p) for p in net.parameters()}
    wanted = [site for site in models.sites(net, x) if site.role == "hidden"]
    models.swap(net, activation, x)
    net(x).square().sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    own = sum(p.numel() for p in net.parameters() if id(p) not in before)
    one = {"prelu": lambda s: activations.build("prelu", shape=s.shape[s.channel_dim :][:1])}.get(
        activation, lambda s: activations.build(activation, shape=s.shape if s.channel_dim == 0 else s.shape[-1:])
    )
    assert own == sum(p.numel() for site in wanted for p in one(site).parameters())


def test_a_name_counts_as_the_registrys() -> None:
    net = models.swap(Reuse(), "lrelu")
    assert {site.op for site in models.sites(net)} == {"leaky_relu"}


@pytest.mark.parametrize("name", NASTY)
def test_copies_are_equal_and_their_own(name: str) -> None:
    net, x = nasty(name)
    models.swap(net, "prelu", x)
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    expected = net(x)
    copies = [copy.deepcopy(net), pickle.loads(pickle.dumps(net)), torch.load(file, weights_only=False)]
    for other in copies:
        assert torch.equal(other(x), expected)
        with torch.no_grad():
            for parameter in other.parameters():
                parameter.zero_()
        assert not torch.equal(other(x), expected)
    assert torch.equal(net(x), expected)


@pytest.mark.parametrize("name", NASTY)
def test_a_state_dict_goes_from_one_swapped_network_to_another(name: str) -> None:
    net, x = nasty(name)
    other = copy.deepcopy(net)
    for one in (net, other):
        models.swap(one, "prelu", x)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.uniform_(-1, 1)
    assert not torch.equal(other(x), net(x))
    other.load_state_dict(net.state_dict())
    assert torch.equal(other(x), net(x))


@pytest.mark.parametrize("name", NASTY)
def test_to_reaches_the_new_activations(name: str) -> None:
    net, x = nasty(name)
    assert models.swap(net, "prelu", x).double()(x.double()).dtype == torch.float64


def test_new_activations_have_dtype_and_mode_of_the_network() -> None:
    net = models.swap(Reuse().double().eval(), "prelu")
    assert {p.dtype for p in net.parameters()} == {torch.float64}
    assert not any(module.training for module in net.modules())


def test_module_places_keep_the_names_of_the_state_dict() -> None:
    net = nn.Sequential(nn.Linear(6, 6), nn.PReLU(6), nn.Linear(6, 2))
    names = list(net.state_dict())
    assert list(models.swap(net, "prelu").state_dict()) == names


@pytest.mark.parametrize("name", ["loop", "nested", "reuse", "encoder"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_forward_pass_works_after_one_that_failed(name: str, error: type[BaseException]) -> None:
    net, x = nasty(name)
    models.swap(net, "elu", x)
    expected = net(x)
    layers = [module for module in net.modules() if isinstance(module, nn.Linear)]
    for layer in layers:

        def fail(*_: Any) -> None:
            raise error

        hook = layer.register_forward_hook(fail)
        try:
            with pytest.raises(error):
                net(x)
        except pytest.fail.Exception:  # MultiheadAttention reads its projection without calling it
            assert name == "encoder"
        hook.remove()
        assert torch.equal(net(x), expected)
        assert torch.equal(F.relu(x), x.clamp(min=0))  # nothing outside is handed over


def test_an_error_that_the_caller_catches_leaves_its_later_calls_swapped() -> None:
    class Forgiving(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.last = nn.Linear(6, 6), nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            try:
                self.layer(x[:, 1:])
            except RuntimeError:  # of its shape
                x = F.relu(self.layer(x))
            return self.last(x)

    net, x = Forgiving(), torch.zeros(2, 6)
    assert recorded(models.swap(net, sine, x), x) == {"sin": 1}


def test_a_part_of_a_swapped_network_runs_alone() -> None:
    net, x = nasty("nested")
    whole = models.swap(net, sine, x)
    expected = whole(x)
    assert recorded(net.inner, x) == {"sin": 3}
    assert recorded(net.inner.layers[0], x) == {}
    assert torch.equal(whole(x), expected)


def test_checkpointed_callers_compute_the_same_gradients() -> None:
    net, x = nasty("nested")
    models.swap(net, "prelu", x)
    net(x).sum().backward()
    expected = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    checkpoint(net, x, use_reentrant=False).sum().backward()
    for p, grad in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(p.grad, grad)


@pytest.mark.parametrize("name", ["reuse", "shared", "sequential", "hand_made"])
def test_module_places_compile_to_one_graph(name: str) -> None:
    net, x = nasty(name)
    models.swap(net, "prelu", x)
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    for _ in range(2):
        torch.testing.assert_close(compiled(x), net(x))


@pytest.mark.parametrize("name", ["loop", "nested", "spellings"])
def test_function_places_compute_the_same_under_compile(name: str) -> None:
    net, x = nasty(name)
    models.swap(net, "prelu", x)
    compiled = torch.compile(net, backend="eager")
    for _ in range(2):
        torch.testing.assert_close(compiled(x), net(x))


def test_a_caller_that_takes_another_way_is_named_with_both_counts() -> None:
    net, x = nasty("loop")
    models.swap(net, "elu", x)
    net.layers.append(nn.Linear(3, 3))
    with pytest.raises(RuntimeError, match=r"the network called relu, relu, relu and now calls relu as number 4"):
        net(x)
    block = nn.Sequential(nasty("reuse")[0])
    models.swap(block, "elu", x)
    block[0].last = block[0].relu
    with pytest.raises(RuntimeError, match=r"0\.relu has 3 swapped activations and is now used once more"):
        block(x)


class Body(nn.Module):
    """Two linear layers with whatever a test puts between them, as `between(net, x)`."""

    def __init__(self, between: Callable[[Any, Tensor], Tensor], **modules: nn.Module) -> None:
        super().__init__()
        self.first, self.last, self.between = nn.Linear(8, 8), nn.Linear(8, 2), between
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.between(self, self.first(x)))


def roles_of(between: Callable[[Any, Tensor], Tensor], **modules: nn.Module) -> list[tuple[str, str]]:
    return [(site.op, site.role) for site in models.sites(Body(between, **modules), torch.randn(4, 8))]


class BatchNormRelu(nn.BatchNorm1d):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(x))


class ReluDropout(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(F.relu(x), 0.5, self.training)


@pytest.mark.parametrize(("kind", "kept"), [(lambda: BatchNormRelu(8), "batch_norm"), (ReluDropout, "bernoulli")])
def test_a_module_that_does_more_than_activate_keeps_the_rest(kind: Callable[[], nn.Module], kept: str) -> None:
    net = models.swap(Body(lambda net, x: net.inner(x), inner=kind()), sine).train()
    with Recorder() as recorder:
        net(torch.randn(4, 8))
    assert any(kept in name for name in recorder.ran)
    assert recorder.activations() == {"sin": 1}


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


def test_a_function_call_that_checkpointing_would_repeat_is_refused() -> None:
    net = Body(lambda net, x: checkpoint(lambda y: F.relu(net.inner(y)), x, use_reentrant=False), inner=nn.Linear(8, 8))
    with pytest.raises(ValueError, match=r"calls relu in a checkpointed part .* checkpoint whole modules, or make the"):
        models.swap(net, "silu")


def test_a_reused_module_that_checkpointing_repeats_is_an_error_and_no_other_gradient() -> None:
    def between(net: Any, x: Tensor) -> Tensor:
        return checkpoint(lambda y: net.relu(net.inner(net.relu(y))), x, use_reentrant=False)

    net = models.swap(Body(between, inner=nn.Linear(8, 8), relu=nn.ReLU()), "silu")
    with pytest.raises(
        RuntimeError, match=r"relu has 2 swapped activations .* or another method or checkpointing runs"
    ):
        net(torch.randn(4, 8)).sum().backward()


def test_a_call_that_is_another_one_in_evaluation_is_refused() -> None:
    net = Body(lambda net, x: torch.sigmoid(F.relu(F.gelu(x) if net.training else x)))
    with pytest.raises(ValueError, match=r"called gelu, relu, sigmoid and now calls relu as number 1"):
        models.swap(net, "silu")


def test_a_reused_module_lent_between_two_of_its_uses_has_its_place_in_each_caller() -> None:
    class Borrower(nn.Module):
        def forward(self, x: Tensor, relu: nn.Module) -> Tensor:
            return relu(x + 1) + relu(x + 2)

    net = Body(
        lambda net, x: net.relu(net.two(net.one(net.relu(x), net.relu), net.relu)),
        relu=nn.ReLU(),
        one=Borrower(),
        two=Borrower(),
    )
    models.swap(net, "prelu", torch.randn(4, 8))
    ran: list[nn.Module] = []
    for place in net.relu.places:
        place.register_forward_hook(lambda module, args, output: ran.append(module))
    for _ in range(2):
        net(torch.randn(4, 8))
    assert len(set(ran[:6])) == 6
    assert ran[:6] == ran[6:]


def test_a_module_that_is_run_past_its_attribute_is_named() -> None:
    relu = nn.ReLU()
    net = Body(lambda net, x: net.held[0](x), relu=relu)
    net.held = [relu]
    with pytest.raises(ValueError, match=r"Body does not run what is now in the place of relu \(relu\): it holds"):
        models.swap(net, "silu")


def test_what_does_not_fit_the_network_is_a_value_error_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"Body does not run with the example: .*; give a tensor, a tuple"):
        models.sites(Body(lambda net, x: F.relu(x)), torch.randn(4, 7))
    net = Body(lambda net, x: F.relu(x))
    net.kept = net.first(torch.randn(4, 8))
    with pytest.raises(ValueError, match=r"Body cannot be copied, .* before the first forward pass"):
        models.swap(net, "silu")


def test_what_the_places_of_a_network_share_is_shared_by_swap_too() -> None:
    net = models.swap(
        nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2)), "hyperactivation"
    )
    one, other = (set(net[place].parameters()) for place in (1, 3))
    assert one & other


@pytest.mark.parametrize("name", NASTY)
def test_a_swapped_network_is_swapped_again(name: str) -> None:
    net, x = nasty(name)
    first = models.sites(net, x)
    models.swap(net, sine, x)
    again = models.sites(net, x)
    assert [(s.path, s.index, s.shape, s.role) for s in again] == [(s.path, s.index, s.shape, s.role) for s in first]
    models.swap(net, "elu", x)
    ran = recorded(net, x)
    assert ran.pop("elu") == NASTY[name][2]
    assert set(ran) <= ({"tanh"} if name == "recurrent" else set())


def test_roles_are_swapped_one_after_the_other() -> None:
    net, x = nasty("squeeze_excite")
    gates = []
    models.swap(net, lambda shape: gates.append(nn.Hardsigmoid()) or gates[-1], x, roles=("gate",))
    models.swap(net, sine, x)
    assert recorded(net, x) == {"sin": 2}
    assert len(gates) == 1
    assert [(site.role, site.op) for site in models.sites(net, x)] == [
        ("hidden", "sine"),
        ("hidden", "sine"),
        ("gate", "hardsigmoid"),
    ]


def test_a_caller_named_after_the_function_that_it_calls_is_swapped() -> None:
    class Pooling(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x).mean(1, keepdim=True)

    net = nn.Sequential()
    net.add_module("first", nn.Linear(4, 4))
    net.add_module("relu", Pooling())
    net.add_module("last", nn.Linear(1, 2))
    assert recorded(models.swap(net, sine), torch.zeros(2, 4)) == {"sin": 1}


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


def test_a_root_that_is_an_activation_is_replaced() -> None:
    assert isinstance(models.swap(nn.ReLU(), "elu", torch.zeros(2, 3)), nn.ELU)


def test_a_padding_mask_gives_the_same_in_training_and_evaluation() -> None:
    mask = torch.tensor([[False, False, True], [False, False, False]])
    net, x = nasty("encoder")  # without dropout
    models.swap(net, "apl", (x, mask))
    with torch.no_grad():  # else torch takes no fast path
        torch.testing.assert_close(net.eval()(x, mask), net.train()(x, mask))


# Sites


def test_sites_name_place_operation_and_shape() -> None:
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
def test_gates_are_told_from_hidden_places(name: str, roles: dict[str, int]) -> None:
    net, x = nasty(name)
    assert Counter(site.role for site in models.sites(net, x)) == roles


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


def test_an_activation_of_a_parameter_is_no_place() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.scale = nn.Linear(4, 4), nn.Parameter(torch.ones(4))

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(F.relu(self.layer(x)) * F.softplus(self.scale))

    net = Scaled()
    assert [site.op for site in models.sites(net)] == ["relu"]
    assert recorded(models.swap(net, sine), torch.zeros(2, 4)) == {"sin": 1, "softplus": 1}


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


@pytest.mark.parametrize("given", [nn.Softplus(beta=2.0), lambda shape: nn.Softplus(beta=2.0)], ids=["module", "made"])
def test_a_module_is_copied_to_each_place_as_one_that_is_made_there(given: Any) -> None:
    net = models.swap(Reuse(), given)
    places = [module for module in net.modules() if isinstance(module, nn.Softplus)]
    assert [place.beta for place in places] == [2.0] * 3
    assert given not in places


def test_a_class_is_built_without_arguments_whatever_its_first_one_is() -> None:
    """A shape would be ReLU's `inplace` and GELU's `approximate`."""
    for kind in (nn.ReLU, nn.GELU, nn.LeakyReLU, nn.PReLU):
        net = models.swap(Reuse(), kind)
        assert [str(module) for module in net.modules() if isinstance(module, kind)] == [str(kind())] * 3
        net(torch.randn(2, 6)).sum().backward()


# Errors


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (torch.tanh, r"built-in method tanh .* fails with the shape \(5,\): .*must be Tensor"),
        (lambda x: x.relu(), "fails with the shape .*: 'tuple' object has no attribute 'relu'"),
        (lambda x: x * 2, "makes no nn.Module but a tuple"),
        (nn.Threshold, "Threshold.* fails with no arguments: .*missing 2 required"),
        (3, "activation 3 is no name, nn.Module, class of one or function"),
    ],
    ids=["function of torch", "function of a tensor", "no module", "class with arguments", "number"],
)
@pytest.mark.parametrize(
    "door",
    [
        lambda given: models.swap(Reuse(), given),
        lambda given: models.build("mlp", input_shape=(6,), num_classes=2, activation=given, width=5),
    ],
    ids=["swap", "build"],
)
def test_what_makes_no_module_is_refused_with_the_remedy(door: Any, given: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        door(given)
    assert "function that makes one" in str(caught.value)


def test_an_unknown_activation_is_the_registrys_error() -> None:
    with pytest.raises(ValueError, match="unknown activation 'rleu': did you mean"):
        models.swap(Reuse(), "rleu")


@pytest.mark.parametrize("name", [n for n in activations.names() if activations.info(n).in_features_multiplier > 1])
def test_an_activation_of_several_inputs_is_refused_with_the_remedy(name: str) -> None:
    for given in (name, lambda shape: activations.build(name, shape=shape)):
        with pytest.raises(ValueError, match=r"inputs for each output, and swap cannot widen .*: mlp, .*cnn"):
            models.swap(Reuse(), given)


def test_a_network_without_a_place_is_told_what_was_looked_for() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Softmax(1))
    with pytest.raises(ValueError, match=r"no activation of the roles hidden .* found: softmax \(output\)"):
        models.swap(net, "relu")


def test_an_unknown_role_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown role 'gates'; known: hidden, gate, pooler, attention, output"):
        models.swap(Reuse(), "relu", roles=("gates",))


def test_a_network_whose_inputs_cannot_be_guessed_asks_for_an_example() -> None:
    class TwoInputs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.layer(F.relu(self.layer(x) + y))

    with pytest.raises(ValueError, match=r"cannot find the activations of TwoInputs: .*give example="):
        models.sites(TwoInputs())
    x = torch.zeros(2, 4)
    for example in ((x, x), {"x": x, "y": x}):
        assert len(models.sites(TwoInputs(), example)) == 1


def test_importing_models_does_not_load_torch() -> None:
    code = "import sys, models; models.swap, models.sites; print('torch' in sys.modules)"
    folder = Path(models.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=folder, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
