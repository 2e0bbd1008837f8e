"""What distinguishes gelu_cnn, apl_cnn, the autoencoder and the rnn; and mlp's dropout."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

import models
from made_networks import network
from models.gelu_cnn import GaussianNoise
from models.rnn import ZoneoutCell
from models.slot import Slot

TANH = Slot(lambda shape: nn.Tanh())


def _shapes(name: str, shape: tuple[int, ...] = (3, 32, 32)) -> list[tuple[int, ...]]:
    """What a network asks its slot for."""
    shapes: list[tuple[int, ...]] = []
    with torch.device("meta"):
        models.build(
            name, input_shape=shape, num_classes=10, activation=lambda shape: shapes.append(shape) or nn.ReLU()
        )
    return shapes


def _rnn(shape: tuple[int, ...], **sizes: float) -> nn.Module:
    return models.build("rnn", input_shape=shape, num_classes=10, activation="tanh", **sizes)


def test_gelu_cnns_sites_have_the_shapes_of_the_papers_table() -> None:
    table = [(96, 32)] * 3 + [(192, 16)] * 3 + [(192, 6)] * 3
    assert _shapes("gelu_cnn") == [(channels, pixels, pixels) for channels, pixels in table]


def test_a_norm_follows_every_convolution_of_gelu_cnn_and_an_activation_every_norm() -> None:
    layers = [type(layer) for layer in network("gelu_cnn")]
    assert layers.count(nn.Conv2d) == 9
    triples = [layers[at : at + 3] for at, kind in enumerate(layers) if kind is nn.Conv2d]
    assert triples == [[nn.Conv2d, nn.BatchNorm2d, nn.ReLU]] * 9


def test_gelu_cnn_drops_out_behind_its_pools_as_much_as_told() -> None:
    layers = list(network("gelu_cnn", dropout=0.25))
    assert [after.p for before, after in pairwise(layers) if isinstance(before, nn.MaxPool2d)] == [0.25, 0.25]


def test_noise_is_on_the_inputs_of_gelu_cnn_in_training_only() -> None:
    noise = next(iter(network("gelu_cnn")))
    assert isinstance(noise, GaussianNoise)
    x = torch.randn(64, 3, 32, 32)
    torch.manual_seed(0)
    added = noise(x) - x
    assert added.std().item() == pytest.approx(0.15, rel=0.01)
    assert abs(added.mean().item()) < 0.15 * 4 / added.numel() ** 0.5
    assert not torch.equal(noise(x) - x, added)
    torch.manual_seed(0)
    assert torch.equal(noise(x) - x, added)  # the global generator is what it draws from
    assert torch.equal(noise.eval()(x), x)


@pytest.mark.parametrize("convolutions", [3, 5, 7])
def test_an_apl_cnn_has_the_slides_convolutions_and_the_papers_linear_layers(
    convolutions: int,
) -> None:
    deeper = [(256, 8, 8)] * (convolutions - 3)
    expected = [(96, 32, 32), (128, 16, 16), (256, 8, 8), *deeper, (2048,), (2048,)]
    assert _shapes(f"apl_cnn{convolutions}") == expected


@pytest.mark.parametrize("name", ["apl_cnn3", "apl_cnn5", "apl_cnn7"])
def test_an_apl_cnn_pools_and_drops_out_as_the_paper_does(name: str) -> None:
    """Agostinelli's train_test1.prototxt: ratios 0.25 before all pools, behind them 0.25, 0.25, 0.5, then 0.5."""
    net = network(name, width=0.0625)
    order = [layer for layer in net if isinstance(layer, nn.Dropout | nn.MaxPool2d | nn.AvgPool2d)]
    pools = [type(layer) for layer in order if not isinstance(layer, nn.Dropout)]
    assert pools == [nn.MaxPool2d, nn.AvgPool2d, nn.AvgPool2d]
    assert [layer.p if isinstance(layer, nn.Dropout) else "pool" for layer in order] == [
        *(0.25, "pool", 0.25),
        *(0.25, "pool", 0.25),
        *(0.25, "pool", 0.5),
        *(0.5, 0.5),
    ]


def test_the_autoencoder_gives_pixels_whatever_the_classes_and_activates_all_but_them() -> None:
    net = network("autoencoder", (1, 28, 28), num_classes=3)
    assert net(torch.randn(2, 1, 28, 28)).shape == (2, 784)
    assert _shapes("autoencoder", (1, 28, 28)) == [(1000,), (500,), (250,), (30,), (250,), (500,), (1000,)]
    assert isinstance(net[-1], nn.Linear)


def test_the_rnn_computes_what_torchs_does_row_by_row() -> None:
    torch.manual_seed(0)
    net = _rnn((3, 6, 5))
    theirs = nn.RNN(15, 128, batch_first=True)
    weights = (net.input.weight, net.cell.recurrent.weight, net.input.bias, torch.zeros(128))
    for parameter, value in zip(theirs.parameters(), weights, strict=True):
        parameter.data.copy_(value)
    x = torch.randn(2, 3, 6, 5)
    rows = torch.stack([x[:, :, row].flatten(1) for row in range(6)], dim=1)
    _, last = theirs(rows)
    torch.testing.assert_close(net(x), net.output(last[0]))


def test_one_activation_serves_all_rows_of_the_rnn() -> None:
    assert _shapes("rnn", (1, 28, 28)) == [(128,)]
    net = models.build("rnn", input_shape=(1, 28, 28), num_classes=10, activation="prelu")
    net(torch.randn(2, 1, 28, 28)).sum().backward()
    assert net.cell.activation.weight.grad.count_nonzero()


def test_zoneout_keeps_its_share_of_units_in_training_and_anew_at_each_step() -> None:
    torch.manual_seed(0)
    cell = ZoneoutCell(100, TANH, zoneout=0.3)
    row, state = torch.randn(200, 100), 2 + torch.randn(200, 100)  # no tanh reaches most of these
    fresh = torch.tanh(row + cell.recurrent(state))
    out = cell(row, state)
    kept = out == state
    assert torch.equal(kept | (out == fresh), torch.ones_like(kept))
    assert kept.float().mean().item() == pytest.approx(0.3, abs=4 * (0.3 * 0.7 / kept.numel()) ** 0.5)
    assert kept.any(0).all()  # no unit and no example is left out
    assert kept.any(1).all()
    assert not torch.equal(cell(row, state) == state, kept)


def test_zoneout_takes_the_expectation_in_evaluation() -> None:
    torch.manual_seed(0)
    cell = ZoneoutCell(20, TANH, zoneout=0.3)
    row, state = torch.randn(5, 20), torch.randn(5, 20)
    mean = torch.stack([cell(row, state) for _ in range(4000)]).mean(0)
    expected = cell.eval()(row, state)
    assert torch.equal(expected, cell(row, state))
    torch.testing.assert_close(mean, expected, rtol=0, atol=0.1)
    fresh = torch.tanh(row + cell.recurrent(state))
    torch.testing.assert_close(expected, 0.3 * state + 0.7 * fresh)


@pytest.mark.parametrize("zoneout", [-0.1, 1.1, float("nan")])
def test_a_zoneout_that_is_no_probability_is_refused(zoneout: float) -> None:
    with pytest.raises(ValueError, match="zoneout is a probability from 0 to 1, not"):
        _rnn((1, 28, 28), zoneout=zoneout)


def test_mlps_dropout_stands_behind_each_activation() -> None:
    net = _mlp(dropout=0.5)
    hidden = [nn.Linear, nn.ReLU, nn.Dropout]
    assert [type(layer) for layer in net] == [nn.Flatten, *hidden, *hidden, nn.Linear]
    assert [layer.p for layer in net if isinstance(layer, nn.Dropout)] == [0.5, 0.5]


def test_an_mlp_without_dropout_keeps_the_names_that_recorded_digests_hold() -> None:
    names = [f"{layer}.{kind}" for layer in (1, 3, 5) for kind in ("weight", "bias")]
    assert list(_mlp().state_dict()) == list(_mlp(dropout=0.0).state_dict()) == names


def _mlp(**sizes: float) -> nn.Module:
    return models.build(
        "mlp", input_shape=(4,), num_classes=2, activation=lambda shape: nn.ReLU(), depth=2, width=3, **sizes
    )
