"""Tiny networks of transformers and timm, built without weights, and inputs for them."""

from __future__ import annotations

import inspect
from typing import Any

import torch
import transformers
from torch import nn
from transformers import PreTrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_MAPPING_NAMES

# What a configuration is given of these, where it has them.
_WIDTHS = ("hidden_size", "d_model", "n_embd", "dim", "embed_dim", "embedding_size", "emb_dim", "moe_intermediate_size")
_INNER = (
    "intermediate_size",
    "ffn_dim",
    "d_ff",
    "d_inner",
    "n_inner",
    "encoder_ffn_dim",
    "decoder_ffn_dim",
    "hidden_dim",
)
_LAYERS = (
    *("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers", "decoder_layers"),
    *("num_encoder_layers", "num_decoder_layers", "num_feat_extract_layers"),
)
_HEADS = (
    *("num_attention_heads", "n_head", "n_heads", "num_heads", "num_key_value_heads"),
    *("encoder_attention_heads", "decoder_attention_heads", "num_experts_per_tok", "num_conv_pos_embedding_groups"),
)
_SMALL: dict[str, Any] = {
    **dict.fromkeys(_WIDTHS, 16),
    **dict.fromkeys(_INNER, 24),
    **dict.fromkeys(_LAYERS, 2),
    **dict.fromkeys(_HEADS, 2),
    **dict.fromkeys(("head_dim", "d_kv", "patch_size"), 8),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "state_size", "time_step_rank"), 4),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "vocab_size"), 64),
    **dict.fromkeys(("layerdrop", "encoder_layerdrop", "decoder_layerdrop"), 0.0),
    "image_size": 32,
    "sliding_window": 16,
    "num_conv_pos_embeddings": 4,
    "conv_dim": (8, 8),
    "conv_stride": (2, 2),
    "conv_kernel": (3, 3),
    "decoder_start_token_id": 1,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def _shrink(config: PreTrainedConfig) -> PreTrainedConfig:
    for name, value in list(vars(config).items()):
        if isinstance(value, PreTrainedConfig):
            _shrink(value)
        elif (
            name in _SMALL and value is not None and isinstance(value, tuple | list) == isinstance(_SMALL[name], tuple)
        ):
            setattr(config, name, _SMALL[name])
    if kinds := list(dict.fromkeys(getattr(config, "layer_types", None) or ())):
        config.layer_types = [kinds[layer % len(kinds)] for layer in range(config.num_hidden_layers)]
    return config


def of_transformers(kind: str) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """The base model of a `model_type`, of some 16 channels and 2 layers."""
    torch.manual_seed(0)
    name = MODEL_MAPPING_NAMES[kind]
    model = getattr(transformers, name if isinstance(name, str) else name[0])
    config = _shrink(CONFIG_MAPPING[kind]())
    try:
        net: nn.Module = model._from_config(config, attn_implementation="eager")
    except ValueError:  # it has one attention
        net = model(config)
    takes = inspect.signature(net.forward).parameters
    ids = torch.randint(3, 50, (2, 12))
    inputs = {
        "pixel_values": torch.randn(2, 3, 32, 32),
        "input_ids": ids,
        "decoder_input_ids": ids[:, :6],
        "input_values": torch.randn(2, 800),
    }
    return net, {name: value for name, value in inputs.items() if name in takes}


def of_timm(name: str) -> tuple[nn.Module, torch.Tensor]:
    """On the meta device, where nothing is computed."""
    import timm

    with torch.device("meta"):
        net = timm.create_model(name)
        return net, torch.empty(2, *net.default_cfg["input_size"])
