"""Replayed steps have the bits of the plain loop; what cannot be captured says so, and trains all the same."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import activations
import models
from bench import experiments
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.parts import Parts, prepare
from bench.training import setup, train
from bench.training.device import threads
from bench.training.graph import WARM_UP, GraphedStep, GraphWarning
from bench.training.optimizers import OPTIMIZERS
from bench.training.schedules import SCHEDULES
from bench.training.step import TrainingStep
from made_graph import IN_CAPTURE, MadeCard

CPU = torch.device("cpu")
MLP = Case("mlp", "mlp", "digits", "relu", "adam")
CNN = Case("cnn", "cnn", "digits", "gelu", "sgd")
BATCH, FULL, EPOCHS = 16, 5, 2
SHORT: dict[str, Any] = {
    "epochs": EPOCHS, "batch_size": BATCH, "train_size": FULL * BATCH + 3, "validation_size": 20, "test_size": 20
}  # fmt: skip


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> MadeCard:
    return MadeCard(monkeypatch)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with threads(1):
        yield


def built(case: Case, **changes: Any) -> tuple[setup.Network, Recipe, Parts]:
    recipe = replace(experiments.find(case.experiment).recipe(case, "tiny").on("cpu"), **{**SHORT, **changes})
    parts = prepare(case.dataset, recipe, CPU, models.info(case.model).minimum_image_size)
    return setup.build(case, recipe, 0, CPU, parts), recipe, parts


def bits(step: TrainingStep, parts: Parts) -> tuple[str, list[float]]:
    """Of all that a run leaves: weights, statistics, states of the optimizer, curves, and what is drawn next."""
    log = train.fit(step, 0, parts)
    states = step.network.optimizer.state.values()
    tensors = [*step.network.net.state_dict().values(), *(one for state in states for one in state.values())]
    digest = hashlib.sha256(repr(log.curves).encode())
    for one in tensors:
        if isinstance(one, Tensor):
            digest.update(one.detach().contiguous().numpy().tobytes())
    return digest.hexdigest(), log.curves["train_loss"]


def plain(case: Case, **changes: Any) -> tuple[str, list[float]]:
    """A run by the plain loop, but for its rates: in float32, as a card reads them."""
    network, recipe, parts = built(case, **changes)
    exact: list[list[float]] = []

    def rounded(optimizer: torch.optim.Optimizer, *_: object) -> None:
        exact.append([group["lr"] for group in optimizer.param_groups])
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(group["lr"], dtype=torch.float32).item()

    def put_back(optimizer: torch.optim.Optimizer, *_: object) -> None:
        for group, rate in zip(optimizer.param_groups, exact[-1], strict=True):
            group["lr"] = rate

    if case.optimizer != "muon":
        network.optimizer.register_step_pre_hook(rounded)
        network.optimizer.register_step_post_hook(put_back)
    return bits(TrainingStep(network, parts.train, recipe), parts)


def replayed(case: Case, **changes: Any) -> tuple[str, list[float]]:
    network, recipe, parts = built(case, **changes)
    return bits(GraphedStep(network, parts.train, recipe, name="a run"), parts)


@contextmanager
def told(reason: str) -> Iterator[None]:
    """There is one warning, with the run and the reason."""
    with pytest.warns(GraphWarning) as caught:
        yield
    assert [str(one.message) for one in caught if issubclass(one.category, GraphWarning)] == [
        f"a run: trained without a CUDA graph: {reason}"
    ]


KINDS = {
    **{f"optimizer {name}": (replace(MLP, optimizer=name), {"momentum": 0.9}) for name in OPTIMIZERS if name != "muon"},
    **{f"schedule {name}": (replace(MLP, optimizer="sgd"), {"schedule": name}) for name in SCHEDULES},
    "crops": (CNN, {"augmentation": "crop_flip"}),
    "mirrored crops": (CNN, {"augmentation": "reflect_crop_flip"}),
    "turns": (CNN, {"augmentation": "flip_rotate"}),
    "dropout": (MLP, {"model_arguments": {"dropout": 0.5}}),
    "noise in the activation": (replace(MLP, activation="gelu_stochastic"), {}),
    "batch norm": (Case("complex", "mobilenet_v2", "digits", "silu", "adam"), {"schedule": "one_cycle"}),
    "trained activation": (replace(MLP, activation="apl"), {"weight_decay": 0.1, "decay_biases": False}),
    "patience": (MLP, {"patience": 1, "epochs": 4}),
    "text": (Case("gpt", "gpt", "made_text", "gelu", "adamw"), {}),
}


@pytest.mark.parametrize(("case", "changes"), KINDS.values(), ids=KINDS)
def test_replayed_steps_have_the_bits_of_the_plain_loop(card: MadeCard, case: Case, changes: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", GraphWarning)
        digest, losses = replayed(case, **changes)
    assert (digest, losses) == plain(case, **changes)
    (tape,) = card.tapes
    assert tape.replays == FULL * len(losses) - WARM_UP
    assert losses[-1] != losses[0]


@pytest.mark.slow
@pytest.mark.parametrize("activation", activations.names())
def test_every_activation_can_be_replayed(card: MadeCard, activation: str) -> None:
    case = replace(MLP, activation=activation)
    assert replayed(case, epochs=1) == plain(case, epochs=1)
    assert card.tapes[0].replays == FULL - WARM_UP


def test_a_step_is_captured_once_a_run_and_only_then_says_that_it_may_be(card: MadeCard) -> None:
    network, recipe, parts = built(MLP)
    seen: list[bool] = []
    network.optimizer.register_step_pre_hook(
        lambda optimizer, *_: seen.extend(one["capturable"] for one in optimizer.param_groups)
    )
    step = GraphedStep(network, parts.train, recipe, name="a run")
    bits(step, parts)
    of_batches = [*[False] * WARM_UP, True, *[False] * EPOCHS]  # and the smaller batch at the end of every epoch
    groups = len(network.optimizer.param_groups)
    assert seen == [one for one in of_batches for _ in range(groups)]
    assert {type(group["lr"]) for group in network.optimizer.param_groups} == {float}


def _reads_a_number(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    if inputs[0].sum().item() < -1e9:
        raise AssertionError("no such batch")


def _no_memory(*_: object, **__: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory.\nTried to allocate more")


def test_control_flow_by_the_data_is_trained_step_by_step(card: MadeCard) -> None:
    network, recipe, parts = built(MLP, model_arguments={"dropout": 0.5})
    network.net.register_forward_pre_hook(_reads_a_number)
    with told(f"its step cannot be captured: {IN_CAPTURE}"):
        found = bits(GraphedStep(network, parts.train, recipe, name="a run"), parts)
    assert found == plain(MLP, model_arguments={"dropout": 0.5})
    assert (len(card.tapes), card.tapes[0].replays, card.put_back) == (1, 0, ["as it was"])


def test_a_graph_for_which_there_is_no_memory_is_done_without(card: MadeCard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "graph", _no_memory)
    with told("its step cannot be captured: CUDA out of memory."):
        assert replayed(MLP) == plain(MLP)
    assert card.put_back == ["as it was"]


@pytest.mark.parametrize(
    ("case", "changes", "reason"),
    [
        (
            replace(MLP, optimizer="muon"),
            {"schedule": "one_cycle"},
            "Muon is not fused: it reads its rate and counts steps on the CPU",
        ),
        (MLP, {"epochs": 1, "train_size": 3 * BATCH}, "the run has 3 full batches, and 3 come before the capture"),
        (MLP, {"train_size": BATCH - 1}, "the run has 0 full batches, and 3 come before the capture"),
    ],
    ids=["muon", "few batches", "no full batch"],
)
def test_what_is_known_not_to_gain_is_never_captured(
    card: MadeCard, case: Case, changes: dict[str, Any], reason: str
) -> None:
    with told(reason):
        assert replayed(case, **changes) == plain(case, **changes)
    assert card.tapes == []


def test_gradients_are_looked_at_step_by_step(card: MadeCard) -> None:
    network, recipe, parts = built(MLP)
    seen: list[float] = []
    with told("--gradients looks at single steps"):
        step = GraphedStep(network, parts.train, recipe, lambda loss: seen.append(loss.item()), name="a run")
    assert bits(step, parts) == plain(MLP)
    assert len(seen) == EPOCHS * (FULL + 1)
    assert card.tapes == []


def test_sentences_of_many_lengths_are_taken_step_by_step(card: MadeCard) -> None:
    network, recipe, parts = built(MLP)
    with told("batches of sentences differ in length"):
        GraphedStep(network, replace(parts.train, lengths=[1] * len(parts.train)), recipe, name="a run")


def test_a_run_off_cuda_is_refused_with_what_to_do() -> None:
    _, recipe, _ = built(MLP)
    with pytest.raises(ValueError, match="the device is cpu; leave --graph out, or give it with --device cuda"):
        next(train.run(MLP, recipe, "tiny", [0], CPU, graph=True))


def test_a_session_off_cuda_fails_with_what_to_do(micro: pytest.Pytester) -> None:
    session = micro.runpytest_inprocess("-k", "digits and elu and sgd", "--device", "cpu", "--graph")
    session.assert_outcomes(failed=1)
    session.stdout.fnmatch_lines(["*--graph: CUDA graphs need a card, and the device is cpu; leave --graph out*"])
