"""BERT with an activation slot in every feed-forward network: `models.build("bert", input_shape=(64,), ...)`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertForSequenceClassification
from transformers.utils import logging

from models.slot import Slot

# The fastest on CPUs and CUDA alike; with dropout a CPU has only its plain form, which repeats bit by bit.
ATTENTION = "sdpa"
# What a pretrained encoder may lack.
DRAWN = ("classifier.", "bert.pooler.")
Trained: TypeAlias = Literal["all", "feed_forward"]


class BERT(nn.Module):
    """`transformers`' BERT for classification, from the ids of a sentence to logits.

    Devlin et al. 2018, arXiv 1810.04805; the defaults are BERT base. The activation between the two linear layers of
    each feed-forward network is the slot's. The pooler's tanh stays. Weights and dropout draw from torch's global
    generator.

    Activations that take k inputs for each output, such as `glu` (k = 2), get a first linear layer k times as wide. Its
    first rows and the second layer are those of any other activation, pretrained or drawn: in torch's order they give
    the value. The rows behind them, which give the gate, are drawn last, as BERT draws.

    Args:
        input_shape: `(tokens,)` of the longest sentence.
        num_classes: width of the output.
        slot: what makes the activations.
        pretrained: folder with configuration and weights of a BERT, in the place of the sizes below. What it has no
            weights for is drawn: the classifier, and often the pooler.
        vocab_size: number of ids, 0 for padding among them.
        hidden_size: of each token between the layers.
        num_hidden_layers: attention and feed-forward network each.
        num_attention_heads: a divisor of `hidden_size`.
        intermediate_size: units of a feed-forward network.
        hidden_dropout_prob: dropout of embeddings, layers and the pooled output.
        attention_probs_dropout_prob: dropout of attention.
        initializer_range: standard deviation of the weights drawn.
        trained: `all` of it, or the `feed_forward` networks and the classifier alone: the gradient goes around a dead
            one, and embeddings and attention learn in its place.

    Shape:
        Input `(N, tokens)` int64, 0 for padding, of as many tokens as its own longest sentence needs; output
        `(N, num_classes)`.

    Raises:
        ValueError: an unknown word for what is trained, sentences longer than there are positions for, pretrained
            weights that would have to shrink (`equal="parameters"` with an activation of several inputs), or a folder
            that cannot be read, is of another model than BERT, or lacks weights of the encoder.
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        num_classes: int,
        slot: Slot,
        *,
        pretrained: str | Path | None = None,
        vocab_size: int = 30522,
        hidden_size: int = 768,
        num_hidden_layers: int = 12,
        num_attention_heads: int = 12,
        intermediate_size: int = 3072,
        hidden_dropout_prob: float = 0.1,
        attention_probs_dropout_prob: float = 0.1,
        initializer_range: float = 0.02,
        trained: Trained = "all",
    ) -> None:
        super().__init__()
        if trained not in get_args(Trained):
            raise ValueError(f"model 'bert': unknown trained {trained!r}; known: {', '.join(get_args(Trained))}")
        if pretrained is None:
            sizes: dict[str, Any] = {
                "vocab_size": vocab_size,
                "hidden_size": hidden_size,
                "num_hidden_layers": num_hidden_layers,
                "num_attention_heads": num_attention_heads,
                "intermediate_size": slot.units(intermediate_size),
                "hidden_dropout_prob": hidden_dropout_prob,
                "attention_probs_dropout_prob": attention_probs_dropout_prob,
                "initializer_range": initializer_range,
                "num_labels": num_classes,
                "attn_implementation": ATTENTION,
            }
            self.net = BertForSequenceClassification(BertConfig(**sizes))
        else:
            self.net = _pretrained(pretrained, num_classes)
        config = self.net.config
        if input_shape[0] > config.max_position_embeddings:
            raise ValueError(
                f"model 'bert' has {config.max_position_embeddings} positions and the sentences have up to "
                f"{input_shape[0]} tokens: cut them"
            )
        if trained == "feed_forward":
            self.net.bert.requires_grad_(False)
        layers: Any = self.net.bert.encoder.layer
        for layer in layers:
            first = layer.intermediate
            first.dense = _widened(first.dense, slot, config.initializer_range)
            first.intermediate_act_fn = slot((config.intermediate_size,))
            for part in (first.dense, layer.output):
                part.requires_grad_(True)

    def forward(self, ids: Tensor) -> Tensor:
        # In four dimensions it is taken as it is: of two, transformers asks the device whether there is any padding.
        mask = (ids != 0)[:, None, None]
        logits: Tensor = self.net(ids, attention_mask=mask).logits
        return logits


def _pretrained(folder: str | Path, num_classes: int) -> BertForSequenceClassification:
    if torch.get_default_device().type == "meta":  # models.slot counts parameters there
        raise ValueError("pretrained weights cannot shrink to make room for gates: build 'bert' with equal='width'")
    remedy = "give a folder of a BERT that `save_pretrained` wrote, whole"
    try:
        with _silence():
            kind = BertConfig.get_config_dict(folder, local_files_only=True)[0].get("model_type")
            loaded: Any = BertForSequenceClassification.from_pretrained(
                folder,
                num_labels=num_classes,
                attn_implementation=ATTENTION,
                local_files_only=True,
                dtype=torch.float32,
                ignore_mismatched_sizes=True,  # they are told below, by their names
                output_loading_info=True,
            )
    except Exception as error:  # transformers passes on what json, pickle and safetensors say
        raise ValueError(f"model 'bert': cannot load {folder}: {error}; {remedy}") from error
    if kind not in (None, BertConfig.model_type):
        raise ValueError(f"model 'bert': {folder} holds a {kind}, not a bert; {remedy}")
    net: BertForSequenceClassification = loaded[0]
    loading = loaded[1]
    mismatched = {name for name, *_ in loading["mismatched_keys"]}
    lacking = sorted(name for name in mismatched | set(loading["missing_keys"]) if not name.startswith(DRAWN))
    if lacking:  # transformers draws them at random and says so in its log alone
        raise ValueError(
            f"model 'bert': {folder} has no weights of the size in its config.json for {', '.join(lacking[:3])}"
            f"{f' and {len(lacking) - 3} more' if len(lacking) > 3 else ''}; {remedy}"
        )
    return net


def _widened(dense: nn.Linear, slot: Slot, sd: float) -> nn.Linear:
    """With rows for all inputs of the slot's activations; their weights are normal with a standard deviation."""
    if slot.in_features_multiplier == 1:
        return dense
    units = dense.out_features
    wide = nn.Linear(dense.in_features, slot.inputs(units))
    nn.init.normal_(wide.weight, std=sd)
    nn.init.zeros_(wide.bias)
    with torch.no_grad():
        wide.weight[:units] = dense.weight
        wide.bias[:units] = dense.bias
    return wide


@contextmanager
def _silence() -> Iterator[None]:
    """Neither a bar over the weights nor a table of those that the folder lacks, which is known."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
