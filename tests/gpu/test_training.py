"""Training on a card: the CPU's draws, the same bits twice, half precision, layouts, and a session from its start."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

import models
from bench import experiments
from bench.cases import seeding
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.parts import Parts, prepare
from bench.records.record import Record
from bench.training import float64, setup, train
from bench.training.augmentation import AUGMENTATIONS
from bench.training.evaluation import autocast_of

pytestmark = pytest.mark.gpu

CPU = torch.device("cpu")
CNN = Case("cnn", "cnn", "digits", "gelu", "sgd")
BATCH_NORM = Case("complex", "senet18", "digits", "tact", "adam")
DROPOUT = Case("wrn", "wrn_40_4", "digits", "gelu", "nesterov")


def recipe_of(case: Case) -> Recipe:
    return replace(experiments.find(case.experiment).recipe(case, "tiny"), epochs=1, train_size=300)


def parts_of(case: Case, recipe: Recipe, device: torch.device) -> Parts:
    return prepare(case.dataset, recipe, device, models.info(case.model).minimum_image_size)


def runs(case: Case, card: torch.device, times: int = 2, **changes: object) -> list[Record]:
    recipe = replace(recipe_of(case), **changes)
    return [next(train.run(case, recipe, "tiny", [0], card)) for _ in range(times)]


def test_a_network_starts_from_the_same_bits_as_on_the_cpu(card: torch.device) -> None:
    recipe = recipe_of(BATCH_NORM)
    states = [
        setup.build(BATCH_NORM, recipe, 0, device, parts_of(BATCH_NORM, recipe, device)).net.state_dict()
        for device in (CPU, card)
    ]
    assert all(torch.equal(one, other.cpu()) for one, other in zip(*(state.values() for state in states), strict=True))


@pytest.mark.parametrize("name", ["crop_flip", "flip_rotate"])
def test_images_are_changed_as_on_the_cpu(card: torch.device, name: str) -> None:
    images = torch.rand(64, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    changed = [
        AUGMENTATIONS[name](images.to(device), seeding.generator(0, "augmentation")).cpu() for device in (CPU, card)
    ]
    differing = (changed[0] != changed[1]).double().mean().item()
    assert differing <= (0.001 if name == "flip_rotate" else 0)  # a pixel may come from either of two neighbours
    assert not torch.equal(changed[0], images)


def test_what_probes_draw_on_a_card_is_what_they_draw_on_the_cpu(card: torch.device) -> None:
    def drawn(device: torch.device) -> list[torch.Tensor]:
        x = torch.linspace(-2, 2, 50, dtype=torch.float64, device=device)
        with float64.drawn_on_the_cpu(), seeding.global_stream(0, "dropout and noise"):
            return [F.dropout(x, 0.3), torch.rand_like(x), torch.bernoulli(x.sigmoid()), torch.rand(3, device=device)]

    for one, other in zip(drawn(CPU), drawn(card), strict=True):
        torch.testing.assert_close(one, other.cpu(), rtol=1e-15, atol=0)


def test_the_cards_own_generator_repeats_by_purpose_and_is_put_back(card: torch.device) -> None:
    def drawn(purpose: str) -> torch.Tensor:
        with seeding.global_stream(0, purpose):
            return torch.rand(5, device=card)

    before = torch.cuda.get_rng_state(card)
    assert torch.equal(drawn("dropout"), drawn("dropout"))
    assert not torch.equal(drawn("dropout"), drawn("noise"))
    assert torch.equal(torch.cuda.get_rng_state(card), before)


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        (CNN, {}),
        (CNN, {"precision": "bfloat16", "memory_format": "channels_last"}),
        (DROPOUT, {"augmentation": "crop_flip"}),
        (BATCH_NORM, {"augmentation": "flip_rotate"}),
    ],
    ids=["convolution", "bfloat16", "dropout and crops", "batch norm and turns"],
)
def test_a_run_repeats_bit_for_bit(card: torch.device, case: Case, changes: dict) -> None:
    one, other = runs(case, card, **changes)
    assert one.bits == other.bits
    assert one.fingerprint == other.fingerprint
    assert one.peak_bytes is not None
    assert one.peak_bytes > one.bytes_saved > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_attention_repeats_bit_for_bit_forward_and_backward(card: torch.device, dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    heads = torch.randn(3, 8, 4, 512, 64, generator=generator).to(card, dtype).requires_grad_()
    mask = torch.arange(512, device=card) < torch.tensor([[100], [512]], device=card).repeat(4, 1)

    def found() -> tuple[torch.Tensor, ...]:
        output = F.scaled_dot_product_attention(*heads, attn_mask=mask[:, None, None])
        return output, *torch.autograd.grad(output.float().square().sum(), heads)

    one, *others = (found() for _ in range(3))
    assert all(torch.equal(first, again) for other in others for first, again in zip(one, other, strict=True))


def test_half_precision_is_that_of_the_forward_pass_alone(card: torch.device) -> None:
    recipe = replace(recipe_of(CNN), precision="bfloat16")
    data = parts_of(CNN, recipe, card)
    net = setup.build(CNN, recipe, 0, card, data).net
    with autocast_of(recipe, card)():
        assert net(data.train.inputs[:8]).dtype == torch.bfloat16
    assert {one.dtype for one in net.parameters()} == {torch.float32}
    half, full = (runs(CNN, card, 1, precision=precision)[0] for precision in ("bfloat16", "float32"))
    assert half.fingerprint["precision"] == "bfloat16"
    assert half.digest != full.digest
    assert half.curves["train_loss"] == pytest.approx(full.curves["train_loss"], rel=0.1)


def test_channels_last_is_another_layout_of_the_same_training(card: torch.device) -> None:
    recipe = replace(recipe_of(CNN), memory_format="channels_last")
    data = parts_of(CNN, recipe, card)
    kernels = [one for one in setup.build(CNN, recipe, 0, card, data).net.parameters() if one.dim() == 4]
    images, _ = next(data.train.batches(8, torch.Generator()))
    for tensor in (images, *kernels):
        assert tensor.is_contiguous(memory_format=torch.channels_last)
    one, other = (runs(CNN, card, 1, memory_format=layout)[0] for layout in ("channels_last", "contiguous"))
    assert one.curves["train_loss"] == pytest.approx(other.curves["train_loss"], rel=0.02)


def test_a_session_records_a_card_by_its_name_and_finds_it_the_same(card: torch.device, micro) -> None:
    session = ("-k", "digits and (elu or gelu)", "--device", "cuda", "--scale", "tiny", "--baseline-dir", "own")
    micro.runpytest_inprocess(*session, "--record").assert_outcomes(passed=4)
    (rows,) = (micro.path / "own" / "measured").glob("micro.tiny.cuda_*.csv")
    with rows.open(newline="") as file:
        assert {row["device_class"] for row in csv.DictReader(file)} == {rows.stem.removeprefix("micro.tiny.")}
    again = micro.runpytest_inprocess(*session, "--seeds", "2", "--baseline=require", "--strict")
    again.assert_outcomes(passed=4)
    again.stdout.fnmatch_lines(["4 cases, 8 runs: 4 SAME"])
