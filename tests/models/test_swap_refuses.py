"""Tests of what models.swap refuses: it changes every place that it was asked to, or raises before it changes any."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, distributed, fx, nn
from torch.distributed.fsdp import fully_shard
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.models.resnet import BasicBlock, ResNet

import models
from made_networks import Body, Reuse, nasty, recorded, sine

X = torch.randn(4, 8)


def parts_of(net: nn.Module) -> list[Any]:
    """All that a swap may change."""
    hooks = ("_forward_pre_hooks", "_forward_hooks")
    return [
        (path, id(module), "forward" in vars(module), [len(getattr(module, kind)) for kind in hooks])
        for path, module in net.named_modules(remove_duplicate=False)
    ]


def refused(net: nn.Module, message: str, example: Any = X, **given: Any) -> None:
    before = parts_of(net)
    with pytest.raises(ValueError, match=message):
        models.swap(net, sine, example, **given)
    assert parts_of(net) == before


class Expert(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.act, self.down = nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.act(self.up(x)))


class FunctionExpert(Expert):
    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.between(self.up(x)))

    def between(self, x: Tensor) -> Tensor:
        return F.gelu(x)


class Swish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x)


class Mixture(nn.Module):
    def __init__(self, experts: list[nn.Module]) -> None:
        super().__init__()
        self.router, self.out = nn.Linear(8, len(experts)), nn.Linear(8, 2)
        self.experts = nn.ModuleList(experts)

    def forward(self, x: Tensor) -> Tensor:
        chosen, y = self.router(x).argmax(-1), torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            if (mine := chosen == number).any():
                y[mine] = expert(x[mine])
        return self.out(y)


RELU = nn.ReLU()
EXPERTS: dict[str, Callable[[], nn.Module]] = {
    "module": Expert,
    "function in another method": FunctionExpert,
    "sequential": lambda: nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)),
    "one object for all": lambda: nn.Sequential(nn.Linear(8, 8), RELU, nn.Linear(8, 8)),
    "hand made": lambda: nn.Sequential(nn.Linear(8, 8), Swish(), nn.Linear(8, 8)),
    "torch's layer": lambda: nn.TransformerEncoderLayer(8, 2, 8, batch_first=True),
}


@pytest.mark.parametrize("kind", EXPERTS)
def test_experts_that_the_example_is_not_routed_to_are_refused(kind: str) -> None:
    torch.manual_seed(0)
    net = Mixture([EXPERTS[kind]() for _ in range(4)])
    refused(net, r"experts\.\d.* does not run with the example, .* larger batch", torch.zeros(2, 8))


@pytest.mark.parametrize("kind", [kind for kind in EXPERTS if kind not in ("torch's layer", "hand made")])
def test_experts_that_are_all_reached_are_all_swapped(kind: str) -> None:
    torch.manual_seed(0)
    net, x = Mixture([EXPERTS[kind]() for _ in range(4)]), torch.randn(64, 8)
    assert recorded(models.swap(net, sine, x), x) == {"sin": 4}


def test_what_runs_in_training_only_is_reached_and_a_dead_attribute_is_no_place() -> None:
    class Dead(Expert):
        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.Sequential(nn.Linear(8, 8), nn.ReLU())
            self.relu = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return self.relu(super().forward(x)) if self.training else super().forward(x)

    net = nn.Sequential(nn.Linear(8, 8), Dead(), nn.Linear(8, 2))
    assert recorded(models.swap(net, sine, X).train(), X) == {"sin": 2}
    assert isinstance(net[1].unused[1], nn.ReLU)


def test_poolers_and_attention_that_do_not_run_matter_only_where_they_are_asked_for() -> None:
    class Pooler(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tanh(x)

    class Attention(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.softmax(-1)

    def between(net: Any, x: Tensor) -> Tensor:
        return net.pooler(net.attention(x)) if len(x) > 99 else net.act(x)

    class Optional(Body):
        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.pooler(self.attention(x)) if len(x) > 99 else self.act(self.first(x)))

    def make() -> nn.Module:
        return Optional(between, act=nn.ReLU(), pooler=Pooler(), attention=Attention())

    assert recorded(models.swap(make(), sine, X), X) == {"sin": 1}
    refused(make(), "pooler .* does not run", roles=("hidden", "pooler"))
    refused(make(), "attention .* does not run", roles=("hidden", "attention"))


@pytest.fixture(scope="module")
def process_group() -> Iterator[None]:
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


def plain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))


def compiled_in_place() -> nn.Module:
    net = plain()
    net.compile(backend="eager")
    return net


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: DistributedDataParallel(plain()),
            "DistributedDataParallel of torch.nn.parallel; .*wrap what models.swap",
        ),
        (lambda: nn.Sequential(DistributedDataParallel(plain())), "0 is DistributedDataParallel"),
        (lambda: nn.DataParallel(plain()), "DataParallel of torch.nn.parallel; .*wrap what models.swap returns"),
        (lambda: fully_shard(plain()), "of torch.distributed.fsdp; .*wrap what models.swap returns"),
        (
            lambda: torch.compile(plain(), backend="eager"),
            "OptimizedModule of torch._dynamo; .*compile what models.swap",
        ),
        (lambda: nn.Sequential(torch.compile(plain(), backend="eager")), "0 is OptimizedModule"),
        (compiled_in_place, "was compiled by its method compile; .*compile what models.swap returns"),
        (lambda: torch.jit.script(plain()), "of torch.jit; nothing in it can be seen .* before torch.jit.script"),
        (lambda: torch.jit.trace(plain(), X), "of torch.jit; nothing in it can be seen"),
        (lambda: nn.Sequential(torch.jit.script(nn.Linear(8, 8)), nn.ReLU(), nn.Linear(8, 2)), "0 is .* of torch.jit"),
    ],
    ids=[
        "ddp",
        "ddp inside",
        "data parallel",
        "fsdp",
        "compile",
        "compile inside",
        "in place",
        "script",
        "trace",
        "jit inside",
    ],
)
@pytest.mark.usefixtures("process_group")
def test_what_torch_wraps_or_compiles_is_refused_with_the_remedy(make: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        models.swap(make(), "prelu", X)


@torch.jit.script
def scripted_swish(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


@torch.jit.script
def scripted_scale(x: Tensor) -> Tensor:
    return x * 2


def test_a_function_of_torch_jit_that_activates_is_refused_and_another_is_none_of_swaps_business() -> None:
    refused(
        Body(lambda net, x: net.act(scripted_swish(x)), act=nn.ReLU()), r"runs sigmoid in .* what torch.jit .* compiled"
    )
    net = Body(lambda net, x: net.act(scripted_scale(x)), act=nn.ReLU())
    assert recorded(models.swap(net, sine, X), X) == {"sin": 1}


class OwnGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return F.relu(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad


def test_a_function_with_a_gradient_of_its_own_is_refused_in_a_body_and_replaced_as_a_module() -> None:
    class Own(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return OwnGradient.apply(x)

    refused(
        Body(lambda net, x: OwnGradient.apply(x)), "runs relu in .* torch.autograd.Function, .* make a module of it"
    )
    assert recorded(models.swap(Body(lambda net, x: net.act(x), act=Own()), sine, X), X) == {"sin": 1}


def test_a_part_whose_methods_another_calls_is_reached() -> None:
    net = Body(lambda net, x: net.expert.forward(net.functions.forward(x)), expert=Expert(), functions=FunctionExpert())
    assert recorded(models.swap(net, sine, X), X) == {"sin": 2}


def test_a_compiled_function_runs_what_was_put_in_its_place() -> None:
    relu = torch.compile(lambda x: F.relu(x), backend="eager")
    net = Body(lambda net, x: relu(x))
    net(X)
    models.swap(net, sine, X)
    torch.testing.assert_close(net(X), net.last(torch.sin(net.first(X))))


def small_resnet() -> nn.Module:
    return ResNet(BasicBlock, [1, 1, 1, 1])


def test_graphs_of_torch_fx_are_swapped_where_each_module_is_run_once_and_else_refused() -> None:
    image = torch.randn(2, 3, 32, 32)
    graph = create_feature_extractor(torchvision.models.vgg11(init_weights=False), ["features.8"])
    assert recorded(copy.deepcopy(models.swap(graph, sine, image)), image) == {"sin": 3}
    refused(create_feature_extractor(small_resnet(), ["layer4"]), "torch.fx that runs layer1.0.relu", image)
    refused(fx.symbolic_trace(nasty("loop")[0]), "torch.fx that calls relu as a function", torch.randn(2, 6))


def test_the_graph_of_a_swapped_network_runs_what_was_put_there() -> None:
    image = torch.randn(2, 3, 32, 32)
    net = models.swap(small_resnet(), sine, image)
    assert recorded(create_feature_extractor(net, ["layer4"]), image) == {"sin": 9}


@pytest.mark.parametrize(
    "register",
    [
        lambda relu: relu.register_forward_hook(print),
        lambda relu: relu.register_forward_pre_hook(print),
        lambda relu: relu.register_full_backward_hook(print),
        lambda relu: setattr(relu, "forward", torch.tanh),
    ],
)
def test_hooks_on_a_module_that_would_be_replaced_are_refused(register: Callable[[nn.Module], Any]) -> None:
    net = Reuse()
    register(net.relu)
    refused(net, r"relu \(relu\) has hooks, or a forward, of its own", torch.randn(2, 6))


def test_hooks_elsewhere_stay() -> None:
    net, met = plain(), []
    net[0].register_forward_hook(lambda *_: met.append(0))
    models.swap(net, sine, X)
    models.swap(net, "prelu", X)
    met.clear()
    net(X)
    assert met == [0]


def test_a_module_that_is_run_past_its_attribute_is_refused_before_any_other_is_changed() -> None:
    relu = nn.ReLU()
    net = Body(lambda net, x: net.held[0](net.act(x)), relu=relu, act=nn.GELU())
    net.held = [relu]
    refused(net, "Body does not run what replaces relu")


def test_other_modules_in_evaluation_than_in_training_are_both_swapped() -> None:
    net = Body(lambda net, x: (net.one if net.training else net.two)(x), one=nn.ReLU(), two=nn.GELU())
    models.swap(net, sine, X)
    assert recorded(net.train(), X) == recorded(net.eval(), X) == {"sin": 1}


@pytest.mark.parametrize("side", [256, 299, 384])
def test_networks_of_large_images_are_given_them(side: int) -> None:
    with torch.device("meta"):
        net = nn.Sequential(nn.Conv2d(3, 4, 16, 16), nn.ReLU(), nn.Flatten(), nn.Linear(4 * (side // 16) ** 2, 2))
    assert models.sites(net)[0].shape == (4, side // 16, side // 16)
