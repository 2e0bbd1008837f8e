"""Muon beside torch's own, which rounds to bfloat16 on the way, and AdamW for what is no hidden matrix."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bench import experiments
from bench.cases.case import Case
from bench.data.parts import stand_in
from bench.training import muon, schedules, setup
from bench.training.muon import Muon


def parameters() -> tuple[nn.Parameter, nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return nn.Parameter(torch.randn(12, 30, generator=generator)), nn.Parameter(torch.randn(9, generator=generator))


def steps(optimizers: list[torch.optim.Optimizer], tensors: tuple[nn.Parameter, ...], count: int = 5) -> None:
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        for tensor in tensors:
            tensor.grad = torch.randn(tensor.shape, generator=generator)
        for optimizer in optimizers:
            optimizer.step()


def test_its_steps_are_those_of_torchs_muon_and_adamw_side_by_side():
    """Up to bfloat16's rounding, 0.4 % of a step, of the matrices; exactly for the rest."""
    (matrix, rest), (other_matrix, other_rest) = parameters(), parameters()
    ours = Muon([{"params": [rest, matrix], "weight_decay": 0.1}], [matrix], lr=0.01)
    theirs = torch.optim.Muon([other_matrix], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW([other_rest], lr=0.01, weight_decay=0.1, fused=True)
    before = matrix.detach().clone()
    steps([ours], (matrix, rest))
    steps([theirs, adamw], (other_matrix, other_rest))
    assert torch.equal(rest, other_rest)
    assert (matrix - other_matrix).norm() < 0.02 * (matrix - before).norm()


@pytest.mark.parametrize("shape", [(8, 8), (5, 40), (40, 5)])
def test_singular_values_come_near_to_one_and_directions_stay(shape):
    made = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    u, _, v = torch.linalg.svd(made, full_matrices=False)
    found = muon.orthogonalised(made)
    assert found.dtype == torch.float64
    inside = u.T @ found @ v.T
    assert (inside - inside.diagonal().diag()).abs().max() < 1e-9
    assert 0.3 < inside.diagonal().min() <= inside.diagonal().max() < 1.3


def test_a_schedule_moves_the_rates_of_both():
    matrix, rest = parameters()
    optimizer = Muon([{"params": [rest, matrix], "weight_decay": 0.0}], [matrix], lr=0.01)
    scheduler = schedules.build("one_cycle", optimizer, steps=10)
    moved = []
    for _ in range(9):
        before = matrix.detach().clone(), rest.detach().clone()
        steps([optimizer], (matrix, rest), count=1)
        scheduler.step()
        moved.append([(now - was).norm().item() for now, was in zip((matrix, rest), before, strict=True)])
    for first, *_, last in zip(*moved, strict=True):
        assert max(first, last) < 0.2 * min(moved[3])


def test_each_group_keeps_its_own_weight_decay_and_what_has_no_gradient_stays():
    matrix, rest = parameters()
    groups = [{"params": [matrix], "weight_decay": 0.5}, {"params": [rest], "weight_decay": 0.0}]
    optimizer = Muon(groups, [matrix], lr=0.01)
    before = matrix.detach().clone(), rest.detach().clone()
    optimizer.step()
    assert torch.equal(matrix, before[0])
    matrix.grad, rest.grad = torch.zeros_like(matrix), torch.zeros_like(rest)
    optimizer.step()
    torch.testing.assert_close(matrix.detach(), before[0] * (1 - 0.01 * 0.5))
    assert torch.equal(rest, before[1])


@pytest.mark.parametrize(("model", "dataset", "shape"), [("gpt", "made_text", (16,)), ("vit", "digits", (1, 8, 8))])
def test_of_a_transformer_it_takes_the_matrices_of_the_blocks_and_adamw_the_rest(model, dataset, shape):
    case = Case(model, model, dataset, "relu", "muon")
    recipe = experiments.find(model).recipe(case, "tiny")
    network = setup.build(case, recipe, 0, torch.device("cpu"), stand_in(dataset, recipe, shape, rows=2))
    hidden = {id(one) for group in network.optimizer._hidden for one in group["params"]}
    names = {name for name, one in network.net.named_parameters() if id(one) in hidden}
    assert names == {name for name, one in network.net.named_parameters() if "blocks" in name and one.ndim == 2}
    every = [id(one) for group in network.optimizer.param_groups for one in group["params"]]
    assert sorted(every) == sorted(map(id, network.net.parameters()))
