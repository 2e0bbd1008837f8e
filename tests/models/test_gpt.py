"""The decoder: what each token sees, its sizes, and where its activations sit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import models

SMALL = {"width": 16, "depth": 2, "heads": 2}


def built(activation: str = "relu", tokens: int = 8, **sizes: int) -> nn.Module:
    torch.manual_seed(0)
    arguments = {**SMALL, **sizes}
    return models.build("gpt", input_shape=(tokens,), num_classes=11, activation=activation, **arguments)


def test_no_token_sees_what_is_behind_it_and_the_last_sees_all():
    net, ids = built(initializer_range=1), torch.randint(11, (1, 8))
    for place in range(8):
        changed = ids.clone()
        changed[0, place] = (ids[0, place] + 1) % 11
        differs = (net(changed) != net(ids)).any(2)[0]
        assert differs.tolist() == [False] * place + [True] * (8 - place)


def test_a_shorter_row_gives_what_the_beginning_of_a_longer_one_does():
    net, ids = built(), torch.randint(11, (3, 8))
    torch.testing.assert_close(net(ids[:, :5]), net(ids)[:, :5])


def test_equal_tokens_at_two_places_are_told_apart():
    first, second = built(initializer_range=1)(torch.zeros(1, 2, dtype=torch.long))[0]
    assert not torch.allclose(first, second)


def test_its_defaults_are_the_sizes_of_gpt_2_without_its_biases():
    """124,439,808 parameters (transformers' gpt2), of which 102,144 are biases of linear layers and norms."""
    with torch.device("meta"):
        net = models.build("gpt", input_shape=(1024,), num_classes=50257, activation="gelu_tanh")
    assert sum(parameter.numel() for parameter in net.parameters()) == 124_439_808 - 102_144
    assert not [name for name, _ in net.named_parameters() if name.endswith("bias")]


def test_the_head_and_the_embedding_of_tokens_are_one():
    net = built()
    net(torch.zeros(1, 1, dtype=torch.long)).sum().backward()
    assert net.head.weight is net.tokens.weight


@pytest.mark.parametrize("activation", ["swiglu", "geglu", "reglu", "swiglu_clamped"])
def test_gates_have_two_thirds_of_the_units_at_equal_parameters(activation):
    plain, gated = (built(name, width=96, heads=4) for name in ("relu", activation))
    assert gated.blocks[0].feed_forward[2].in_features == 256
    assert gated.blocks[0].feed_forward[0].out_features == 512
    assert sum(map(torch.numel, gated.parameters())) == sum(map(torch.numel, plain.parameters()))


def test_a_block_has_one_site_that_swap_finds_and_the_same_weights_with_each_activation():
    net = built("relu")
    assert [site.path for site in models.sites(net, torch.zeros(1, 4, dtype=torch.long))] == [
        f"blocks.{block}.feed_forward" for block in range(2)
    ]
    for one, other in zip(net.parameters(), built("tanh").parameters(), strict=True):
        assert torch.equal(one, other)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="5 heads do not divide a width of 16"):
        built(heads=5)
