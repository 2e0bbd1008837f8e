"""The architectures of transformers and timm, tiny or without content: what runs in each before and after a swap."""

from __future__ import annotations

import copy
import io
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils._pytree import tree_leaves

import models
from made_architectures import of_timm, of_transformers
from made_networks import KERNELS, Recorder

pytestmark = pytest.mark.slow
_COUNTED = (*KERNELS, "sigmoid", "log_sigmoid", "clamp_min", "asinh")


class Marker(nn.Module):
    """No network computes an inverse hyperbolic sine of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * torch.asinh(x)


def ran(net: nn.Module, x: Any, training: bool) -> Counter[str]:
    """The activations that one forward pass runs, and how often."""
    with Recorder() as recorder, torch.no_grad():
        run(net.train(training), x)
    return Counter({name: n for name, n in recorder.ran.items() if name.strip("_").startswith(_COUNTED)})


def run(net: nn.Module, x: Any) -> list[Tensor]:
    """What it gives, as floating tensors."""
    torch.manual_seed(0)
    result = net(**x) if isinstance(x, dict) else net(x)
    return [
        value
        for value in tree_leaves(dict(result) if isinstance(x, dict) else result)
        if torch.is_tensor(value) and value.is_floating_point()
    ]


def check(net: nn.Module, x: Any, expected: dict[str, int], record: Any) -> None:
    """One architecture.

    Args:
        net, x: the network and its input.
        expected: how many sites of each role it has.
        record: pytest's `record_property`.
    """
    original = copy.deepcopy(net)
    before, names = {training: ran(net, x, training) for training in (True, False)}, set(net.state_dict())
    sites = models.sites(net, x)
    roles = Counter(site.role for site in sites)
    record("places", dict(roles))
    assert roles == expected

    put: list[nn.Module] = []
    models.swap(net, lambda shape: put.append(Marker()) or put[-1], x)
    assert len(put) == roles["hidden"]
    assert {id(part) for part in net.modules() if isinstance(part, Marker)} == set(map(id, put))
    kept = [(site.op, site.role) for site in models.sites(net, x) if site.role != "hidden"]
    assert kept == [(site.op, site.role) for site in sites if site.role != "hidden"]

    for training, counts in before.items():
        after = ran(net, x, training)
        swapped = after.pop("asinh")
        assert all(after[name] <= counts[name] for name in after)
        assert swapped > 0 == (counts - after).total() % swapped  # some run several kernels

    for parameter in net.parameters():
        parameter.grad = None
    sum(value.float().sum() for value in run(net.train(), x)).backward()
    assert all(part.scale.grad is not None for part in put)

    state = net.state_dict()
    assert set(state) - names == {
        name for name in state if isinstance(net.get_submodule(name.rpartition(".")[0]), Marker)
    }
    replaced = tuple(f"{site.name}." for site in sites if site.role == "hidden" and site.kind == "module")
    assert {name for name in names if not name.startswith(replaced)} <= set(state)
    if any(value.is_meta for value in net.parameters()):
        return
    other = models.swap(original, lambda shape: Marker(), x)
    with torch.no_grad():
        for part in put:
            part.scale.fill_(0.5)
    other.load_state_dict(net.state_dict())
    loaded = [net, other]
    if not any(map(parametrize.is_parametrized, net.modules())):  # those torch saves as a state_dict only
        file = io.BytesIO()
        torch.save(net, file)
        file.seek(0)
        loaded.append(torch.load(file, weights_only=False))
    results = [run(one.eval(), x) for one in loaded]
    assert all(torch.equal(a, b) for result in results[1:] for a, b in zip(results[0], result, strict=True))


# By `model_type`, two layers each: hidden sites, and those of other roles.
TRANSFORMERS: dict[str, dict[str, int]] = {
    "afmoe": {"hidden": 3, "gate": 3, "attention": 2},
    "aimv2": {"hidden": 4, "attention": 4},
    "albert": {"hidden": 1, "attention": 1, "pooler": 1},
    "altclip": {"hidden": 4, "attention": 4},
    "apertus": {"hidden": 2, "attention": 2},
    "arcee": {"hidden": 2, "attention": 2},
    "aria_text": {"hidden": 4, "attention": 4},
    "bart": {"hidden": 4, "attention": 6},
    "beit": {"hidden": 2, "attention": 2},
    "bert": {"hidden": 2, "attention": 2, "pooler": 1},
    "big_bird": {"hidden": 2, "attention": 2, "output": 1},
    "bigbird_pegasus": {"hidden": 4, "attention": 6},
    "biogpt": {"hidden": 2, "attention": 2},
    "bitnet": {"hidden": 2, "attention": 2},
    "blenderbot": {"hidden": 4, "attention": 6},
    "blip": {"hidden": 4, "attention": 4, "pooler": 1},
    "bloom": {"hidden": 2, "attention": 2},
    "camembert": {"hidden": 2, "attention": 2, "pooler": 1},
    "canine": {"hidden": 6, "attention": 4, "pooler": 1},
    "chinese_clip": {"hidden": 4, "attention": 4},
    "clip": {"hidden": 4, "attention": 4},
    "cohere": {"hidden": 2, "attention": 2},
    "convbert": {"hidden": 2, "attention": 4},
    "ctrl": {"hidden": 2, "attention": 2},
    "data2vec-vision": {"hidden": 2, "attention": 2},
    "deberta": {"hidden": 2, "attention": 2},
    "deberta-v2": {"hidden": 2, "attention": 2},
    "deit": {"hidden": 2, "attention": 2, "pooler": 1},
    "dinov2": {"hidden": 2, "attention": 2},
    "distilbert": {"hidden": 2, "attention": 2},
    "doge": {"hidden": 2, "attention": 4},
    "electra": {"hidden": 2, "attention": 2},
    "ernie": {"hidden": 2, "attention": 2, "pooler": 1},
    "exaone_moe": {"hidden": 3, "gate": 1, "attention": 2},
    "falcon": {"hidden": 2, "attention": 2},
    "flaubert": {"hidden": 2, "attention": 2},
    "fnet": {"hidden": 2, "pooler": 1},
    "funnel": {"hidden": 14, "attention": 14},
    "gemma": {"hidden": 2, "attention": 2},
    "gemma2": {"hidden": 2, "attention": 4},
    "gemma3_text": {"hidden": 2, "attention": 2},
    "git": {"hidden": 4, "attention": 4},
    "glm": {"hidden": 2, "attention": 2},
    "glm4_moe": {"hidden": 3, "gate": 1, "attention": 2},
    "gpt2": {"hidden": 2, "attention": 2},
    "gpt_bigcode": {"hidden": 2, "attention": 2},
    "gpt_neo": {"hidden": 2, "attention": 2},
    "gpt_neox": {"hidden": 2, "attention": 2},
    "granite": {"hidden": 2, "attention": 2},
    "granitemoe": {"hidden": 2, "attention": 4},
    "hubert": {"hidden": 5, "attention": 2},
    "ibert": {"hidden": 2, "attention": 2, "pooler": 1},
    "jetmoe": {"hidden": 2, "attention": 6},
    "laguna": {"hidden": 3, "gate": 3, "attention": 2},
    "layoutlm": {"hidden": 2, "attention": 2, "pooler": 1},
    "led": {"hidden": 4, "attention": 6},
    "llama": {"hidden": 2, "attention": 2},
    "longformer": {"hidden": 2, "attention": 2, "pooler": 1},
    "longt5": {"hidden": 4, "attention": 6},
    "m2m_100": {"hidden": 4, "attention": 6},
    "marian": {"hidden": 4, "attention": 6},
    "mbart": {"hidden": 4, "attention": 6},
    "megatron-bert": {"hidden": 2, "attention": 2, "pooler": 1},
    "minimax_m2": {"hidden": 2, "gate": 2, "attention": 2},
    "mistral": {"hidden": 2, "attention": 2},
    "mixtral": {"hidden": 2, "attention": 4},
    "mobilebert": {"hidden": 8, "attention": 2, "pooler": 1},
    "mpnet": {"hidden": 2, "attention": 2, "pooler": 1},
    "mpt": {"hidden": 2, "attention": 2},
    "mra": {"hidden": 2},
    "mt5": {"hidden": 4, "attention": 6},
    "mvp": {"hidden": 4, "attention": 6},
    "nemotron_h": {"hidden": 5, "gate": 2, "attention": 1},
    "nllb-moe": {"hidden": 4, "attention": 6},
    "nystromformer": {"hidden": 2, "attention": 2},
    "olmo": {"hidden": 2, "attention": 2},
    "olmo2": {"hidden": 2, "attention": 2},
    "olmoe": {"hidden": 2, "attention": 4},
    "opt": {"hidden": 2, "attention": 2},
    "pegasus": {"hidden": 4, "attention": 6},
    "persimmon": {"hidden": 2, "attention": 2},
    "phi": {"hidden": 2, "attention": 2},
    "phi3": {"hidden": 2, "attention": 2},
    "plbart": {"hidden": 4, "attention": 6},
    "qwen2": {"hidden": 2, "attention": 2},
    "qwen2_moe": {"hidden": 4, "gate": 2, "attention": 4},
    "qwen3": {"hidden": 2, "attention": 2},
    "qwen3_moe": {"hidden": 2, "attention": 4},
    "qwen3_next": {"hidden": 6, "gate": 5, "attention": 3},
    "rembert": {"hidden": 2, "attention": 2, "pooler": 1},
    "roberta": {"hidden": 2, "attention": 2, "pooler": 1},
    "roformer": {"hidden": 2, "attention": 2},
    "squeezebert": {"hidden": 2, "attention": 2, "pooler": 1},
    "stablelm": {"hidden": 2, "attention": 2},
    "starcoder2": {"hidden": 2, "attention": 2},
    "t5": {"hidden": 4, "attention": 6},
    "umt5": {"hidden": 4, "attention": 6},
    "vilt": {"hidden": 2, "attention": 2, "pooler": 1},
    "vit": {"hidden": 2, "attention": 2, "pooler": 1},
    "vit_mae": {"hidden": 2, "attention": 2},
    "vitdet": {"hidden": 2, "attention": 2},
    "xglm": {"hidden": 2, "attention": 2},
    "xlm": {"hidden": 2, "attention": 2},
    "xlnet": {"hidden": 2, "attention": 2},
    "yolos": {"hidden": 2, "attention": 2, "pooler": 1},
    "yoso": {"hidden": 2},
    "zaya": {"hidden": 6, "attention": 4},
}
# The smallest of a module of timm each.
TIMM: dict[str, dict[str, int]] = {
    "beit_base_patch16_224": {"hidden": 12},
    "convmixer_768_32": {"hidden": 65},
    "convnext_atto": {"hidden": 12},
    "cpubone_nano": {"hidden": 13},
    "crossvit_tiny_240": {"hidden": 27, "attention": 6},
    "cs3darknet_focus_s": {"hidden": 31},
    "cspnext_tiny": {"hidden": 33, "gate": 4},
    "deit_tiny_patch16_224": {"hidden": 12},
    "dla46_c": {"hidden": 45},
    "edgenext_x_small": {"hidden": 18, "attention": 3},
    "efficientformer_l1": {"hidden": 17, "attention": 1},
    "efficientformerv2_s0": {"hidden": 35, "attention": 5},
    "efficientvit_b0": {"hidden": 32},
    "ese_vovnet19b_slim": {"hidden": 19, "gate": 4},
    "fasternet_t0": {"hidden": 14},
    "focalnet_tiny_srf": {"hidden": 48},
    "hardcorenas_b": {"hidden": 42, "gate": 4},
    "hgnetv2_b0": {"hidden": 31},
    "hiera_tiny_224": {"hidden": 12},
    "hrnet_w18_small": {"hidden": 75},
    "iformer_t": {"hidden": 18, "gate": 5},
    "inception_next_atto": {"hidden": 13},
    "lcnet_035": {"hidden": 30, "gate": 2},
    "lcnetv2_small": {"hidden": 32, "gate": 4},
    "legacy_seresnet18": {"hidden": 33, "gate": 8},
    "legacy_xception": {"hidden": 35},
    "lowformer_b0": {"hidden": 25},
    "mnasnet_050": {"hidden": 35},
    "mvitv2_tiny": {"hidden": 10, "attention": 10},
    "naflexvit_base_patch16_parfac_gap": {"hidden": 12},
    "nest_tiny": {"hidden": 12},
    "nextvit_small": {"hidden": 44},
    "poolformerv2_s12": {"hidden": 12},
    "regnetx_002": {"hidden": 40},
    "repghostnet_050": {"hidden": 42, "gate": 7},
    "repvit_m1": {"hidden": 37, "gate": 10},
    "res2next50": {"hidden": 81},
    "resnest14d": {"hidden": 19, "attention": 4},
    "resnetv2_18": {"hidden": 17},
    "rexnet_100": {"hidden": 46, "gate": 13},
    "selecsls42": {"hidden": 41},
    "skresnet18": {"hidden": 33, "attention": 8},
    "starnet_s1": {"hidden": 16},
    "swinv2_cr_tiny_224": {"hidden": 24, "attention": 12},
    "test_byobnet": {"hidden": 14, "gate": 4},
    "test_mambaout": {"hidden": 8},
    "test_nfnet": {"hidden": 24, "gate": 4},
    "test_resnet": {"hidden": 12},
    "test_vit": {"hidden": 6},
    "test_vit_relpos": {"hidden": 18},
    "tiny_vit_5m_224": {"hidden": 23},
    "tresnet_m": {"hidden": 75, "gate": 18},
    "vgg11": {"hidden": 10},
    "visformer_tiny": {"hidden": 23, "attention": 8},
}


@pytest.mark.parametrize("kind", TRANSFORMERS)
def test_an_architecture_of_transformers_is_swapped_in_every_place(kind: str, record_property: Any) -> None:
    net, x = of_transformers(kind)
    check(net, x, TRANSFORMERS[kind], record_property)


@pytest.mark.parametrize("name", TIMM)
def test_an_architecture_of_timm_is_swapped_in_every_place(name: str, record_property: Any) -> None:
    pytest.importorskip("timm")
    net, x = of_timm(name)
    check(net, x, TIMM[name], record_property)
