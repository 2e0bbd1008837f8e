"""The network of a run on its device, with its optimizer: `network.build(case, recipe, seed, device, parts)`."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

import activations
import models
from bench.cases import seeding
from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.parts import Parts
from bench.training import optimizers, schedules


@dataclass
class Network:
    """A network on its device with its optimizer.

    Attributes:
        net: the network.
        sites: the activation instances in it.
        shapes: of one example behind each of them.
        optimizer: over its parameters.
        scheduler: of the optimizer's rate; None where it is constant.
    """

    net: nn.Module
    sites: list[nn.Module]
    shapes: list[tuple[int, ...]]
    optimizer: torch.optim.Optimizer
    scheduler: LRScheduler | None


def build(case: Case, recipe: Recipe, seed: int, device: torch.device, parts: Parts) -> Network:
    """The network of a run, initialised, its parameter groups keeping each activation's own weight decay."""
    sites: list[nn.Module] = []
    shapes: list[tuple[int, ...]] = []
    with seeding.global_stream(seed, "activation parameters of all places"):
        at_place = activations.per_site(case.activation, **recipe.activation_arguments)

    def site(shape: tuple[int, ...]) -> nn.Module:
        with seeding.global_stream(seed, f"activation parameters {len(sites)}"):
            sites.append(at_place(shape))
        shapes.append(shape)
        return sites[-1]

    with seeding.global_stream(seed, "construction"):  # torch's layers draw from it; `own` alone keeps that
        net = models.build(
            case.model,
            input_shape=parts.input_shape,
            num_classes=parts.num_classes,
            activation=site,
            in_features_multiplier=activations.info(case.activation).in_features_multiplier,
            equal=recipe.equal,
            **recipe.model_arguments,
            **parts.model_arguments,
        )
    models.initialise(net, recipe.initialisation, seeding.generator(seed, "weights"), keep=sites)
    channels_last = recipe.memory_format == "channels_last"
    net.to(device)
    net.to(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    return _trainable(net, sites, shapes, case, recipe, parts)


def copy_of(network: Network, case: Case, recipe: Recipe, parts: Parts) -> Network:
    """A network as one is before its first step, with an optimizer of its own; building it anew takes longer."""
    net, sites = copy.deepcopy((network.net, network.sites))
    return _trainable(net, sites, network.shapes, case, recipe, parts)


def _trainable(
    net: nn.Module, sites: list[nn.Module], shapes: list[tuple[int, ...]], case: Case, recipe: Recipe, parts: Parts
) -> Network:
    wish = activations.info(case.activation).weight_decay
    own = list(nn.ModuleList(sites).parameters())  # each once: places may share some
    mine = {id(parameter) for parameter in own}
    decayed: list[nn.Parameter] = []
    spared: list[nn.Parameter] = []
    for name, parameter in net.named_parameters():
        if id(parameter) not in mine:
            (decayed if recipe.decay_biases or not name.endswith("bias") else spared).append(parameter)
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}]
    if spared:
        groups.append({"params": spared, "weight_decay": 0.0})
    if own:
        groups.append({"params": own, "weight_decay": recipe.weight_decay if wish is None else wish})
    optimizer = optimizers.build(case.optimizer, groups, recipe, matrices_of(net, sites))
    scheduler = schedules.build(recipe.schedule, optimizer, recipe.steps(len(parts.train)))
    return Network(net, sites, shapes, optimizer, scheduler)


def matrices_of(net: nn.Module, sites: list[nn.Module]) -> list[Tensor]:
    """The weights of linear layers but the last, the head: those that Muon's authors use it for."""
    inside = {module for site in sites for module in site.modules()}
    linear = [layer for layer in net.modules() if isinstance(layer, nn.Linear) and layer not in inside]
    return [layer.weight for layer in linear[:-1]]
