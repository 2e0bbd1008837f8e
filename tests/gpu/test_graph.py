"""CUDA graphs on a card: replayed runs have the bits of those taken step by step; a capture that fails harms none."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench import experiments
from bench.cases.case import Case
from bench.records.record import Record
from bench.training import graph, setup, train
from bench.training.graph import WARM_UP, GraphWarning

pytestmark = pytest.mark.gpu

MLP = Case("mlp", "mlp", "digits", "relu", "adam")
CNN = Case("cnn", "cnn", "digits", "gelu", "sgd")
BATCH, FULL, EPOCHS = 32, 9, 3
NEVER = 10**6


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was replayed so far."""
    seen: list[object] = []
    replay = torch.cuda.CUDAGraph.replay
    monkeypatch.setattr(torch.cuda.CUDAGraph, "replay", lambda one: seen.append(one) or replay(one))
    return seen


def trained(case: Case, card: torch.device, graph: bool = True, **changes: Any) -> Record:
    short = {"epochs": EPOCHS, "batch_size": BATCH, "train_size": FULL * BATCH + 5, **changes}
    recipe = replace(experiments.find(case.experiment).recipe(case, "tiny"), **short)
    return next(train.run(case, recipe, "tiny", [0], card, graph=graph))


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        (replace(MLP, optimizer="sgd"), {"momentum": 0.9, "weight_decay": 0.1, "schedule": "one_cycle"}),
        (replace(MLP, optimizer="adamw"), {"schedule": "cosine"}),
        (replace(MLP, activation="gelu_stochastic"), {"model_arguments": {"dropout": 0.5}, "schedule": "triangular"}),
        (CNN, {"precision": "bfloat16", "memory_format": "channels_last"}),
        (Case("wrn", "wrn_40_4", "digits", "gelu", "nesterov"), {"augmentation": "crop_flip"}),
        (Case("complex", "senet18", "digits", "tact", "adam"), {"augmentation": "flip_rotate"}),
        (Case("gpt", "gpt", "made_text", "gelu", "adamw"), {}),
    ],
    ids=["sgd", "adamw", "noise", "bfloat16", "dropout and crops", "batch norm and turns", "attention"],
)
def test_a_replayed_run_has_the_bits_of_one_taken_step_by_step(
    card: torch.device,
    replays: list[object],
    monkeypatch: pytest.MonkeyPatch,
    case: Case,
    changes: dict[str, Any],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", GraphWarning)
        one = trained(case, card, **changes)
    assert len(replays) == EPOCHS * FULL - WARM_UP
    monkeypatch.setattr(graph, "WARM_UP", NEVER)
    with pytest.warns(GraphWarning, match="full batches"):
        other = trained(case, card, **changes)
    assert len(replays) == EPOCHS * FULL - WARM_UP
    assert one.bits == other.bits
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint["graph"] is True


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_with_a_rate_that_float32_has_exactly_they_are_the_bits_without_the_option(
    card: torch.device, optimizer: str
) -> None:
    case = replace(MLP, optimizer=optimizer)
    one, other = (trained(case, card, graph=graph, learning_rate=2.0**-10) for graph in (True, False))
    assert one.bits == other.bits
    assert "graph" not in other.fingerprint


def test_the_same_bits_come_of_a_second_run_in_the_process(card: torch.device) -> None:
    one, other = (trained(CNN, card) for _ in range(2))
    assert one.bits == other.bits


def _reads_a_number(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    assert inputs[0].sum().item() > -1e9


def _draws_and_reads(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    torch.rand_like(inputs[0])
    _reads_a_number(module, inputs)


@pytest.mark.parametrize("hook", [_reads_a_number, _draws_and_reads])
def test_a_capture_that_fails_leaves_stream_generator_and_bits_alone(
    card: torch.device, monkeypatch: pytest.MonkeyPatch, hook: Callable[..., None]
) -> None:
    build = setup.build

    def watched(*args: Any) -> setup.Network:
        network = build(*args)
        network.net.register_forward_pre_hook(hook)
        return network

    monkeypatch.setattr(setup, "build", watched)
    changes: dict[str, Any] = {"model_arguments": {"dropout": 0.5}}
    stream = torch.cuda.current_stream()
    with pytest.warns(GraphWarning, match="mlp-mlp-digits-relu-adam, seed 0: .* captur"):
        one = trained(MLP, card, **changes)
    assert torch.cuda.current_stream() == stream
    torch.rand(3, device=card)
    monkeypatch.setattr(graph, "WARM_UP", NEVER)
    with pytest.warns(GraphWarning, match="full batches"):
        other = trained(MLP, card, **changes)
    assert one.bits == other.bits


def test_muon_is_trained_step_by_step(card: torch.device, replays: list[object]) -> None:
    case = replace(MLP, optimizer="muon")
    with pytest.warns(GraphWarning, match="Muon is not fused"):
        one = trained(case, card)
    assert replays == []
    assert one.bits == trained(case, card, graph=False).bits


def test_the_memory_of_a_graph_is_given_back(card: torch.device) -> None:
    trained(CNN, card)  # the data and the libraries' own stay
    before = torch.cuda.memory_allocated(card)
    for _ in range(3):
        trained(CNN, card)
    assert torch.cuda.memory_allocated(card) == before


def test_a_session_with_graphs_finds_what_it_recorded(card: torch.device, micro: pytest.Pytester) -> None:
    file = micro.path / "test_micro.py"
    file.write_text(file.read_text().replace("train_size=128", "train_size=640"))  # ten full batches
    session = ("-k", "digits and elu", "--device", "cuda", "--scale", "tiny", "--baseline-dir", "own", "--graph")
    micro.runpytest_inprocess(*session, "--record").assert_outcomes(passed=2)
    again = micro.runpytest_inprocess(*session, "--seeds", "2", "--baseline=require", "--strict")
    again.assert_outcomes(passed=2)
    again.stdout.fnmatch_lines(["2 cases, 4 runs: 2 SAME"])
    again.stdout.no_fnmatch_line("*GraphWarning*")
