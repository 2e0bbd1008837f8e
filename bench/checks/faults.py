"""Planted faults: what a probe must notice. `with FAULTS["elu_half_alpha"].planted(): ...`.

    python -m bench.checks faults

Each is a change of torch or of this suite such as a mistake or a new version may bring, put in from outside for as long
as the context lasts. A new one is one entry. `case` is one that the fault reaches.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest.mock import patch

if TYPE_CHECKING:
    from torch import Tensor

KINDS = (
    *("function", "gradient", "parameters", "layer", "initialisation", "optimizer", "schedule", "loss", "evaluation"),
    *("augmentation", "dropout", "statistics", "order", "labels", "attention", "precision", "recipe"),
)
Change: TypeAlias = Callable[[Any], Any]  # of what is there now


@dataclass(frozen=True)
class Fault:
    """Something that is wrong.

    Attributes:
        name: the key.
        kind: what of training it is in, one of `KINDS`.
        case: id of a recorded case that it reaches.
        changes: what stands in the place of which attribute: `"package.module:name"` and a function of what is there.
        scale: of the case.
    """

    name: str
    kind: str
    case: str
    changes: tuple[tuple[str, Change], ...]
    scale: str = "tiny"

    def planted(self) -> AbstractContextManager[object]:
        """Puts it in, and takes it out again."""
        import pkgutil

        stack = ExitStack()
        for place, change in self.changes:
            owner, _, name = place.rpartition(".")
            found = pkgutil.resolve_name(owner)
            stack.enter_context(patch.object(found, name, change(getattr(found, name))))
        return stack


def _calls(**changed: Any) -> Change:
    """The same function, called with other keywords."""
    return lambda old: lambda *args, **kwargs: old(*args, **{**kwargs, **changed})


def _argument(name: str, value: Callable[[Any], Any]) -> Change:
    """The same function, called with another argument: what `value` makes of the one given."""

    def change(old: Any) -> Any:
        signature = inspect.signature(old)

        def called(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            bound.arguments[name] = value(bound.arguments[name])
            return old(*bound.args, **bound.kwargs)

        return called

    return change


def _then(after: Callable[..., Any]) -> Change:
    """The same function, whose result goes through another one: `after(result, *arguments)`."""
    return lambda old: lambda *args, **kwargs: after(old(*args, **kwargs), *args)


def _with(values: dict[str, Any]) -> Change:
    """The same dict with other entries."""
    return lambda old: {**old, **values}


def _instead(name: str) -> Change:
    """Another function or class."""

    def change(old: Any) -> Any:
        import pkgutil

        return pkgutil.resolve_name(name)

    return change


def _pooled_by_mean(old: Any) -> Any:
    from torch.nn import functional

    return lambda x, *args, **kwargs: functional.avg_pool2d(x, 2)


def _brighter(old: Any) -> Any:
    """Evaluation on other inputs."""
    from dataclasses import replace

    return lambda net, part, *rest: old(net, replace(part, inputs=part.inputs + 1e-4), *rest)


def _shorter(old: Any) -> Any:
    """Recipes of half the epochs."""

    def halved(recipe: Any) -> None:
        object.__setattr__(recipe, "epochs", -(-recipe.epochs // 2))
        old(recipe)

    return halved


def _leaking(y: Tensor, x: Tensor, *rest: Any) -> Tensor:
    """The gradient of the identity besides, a thousandth of it; the value stays."""
    return y + 1e-3 * (x - x.detach())


def _short_gradient(y: Tensor, *rest: Any) -> Tensor:
    return y.detach() + 0.999 * (y - y.detach())


def _through(dtype: str) -> Callable[..., Tensor]:
    """Rounded to a dtype of fewer bits on the way."""

    def rounded(y: Tensor, *rest: Any) -> Tensor:
        import torch

        return y.to(getattr(torch, dtype)).to(y.dtype)

    return rounded


def _one_wrong(taken: tuple[Tensor, Tensor], *rest: Any) -> tuple[Tensor, Tensor]:
    inputs, labels = taken
    labels = labels.clone()
    labels[-1] = (labels[-1] + 1) % (labels.max() + 1)
    return inputs, labels


def _unshuffled(old: Any) -> Any:
    import torch

    return lambda n, **kwargs: torch.arange(n)


def _wrong_neighbour(order: Tensor, *rest: Any) -> Tensor:
    """Two rows that change places."""
    order[[0, -1]] = order[[-1, 0]]
    return order


def _floored(factor: float) -> Change:
    """A schedule whose rate ends at a share of the highest one in the place of zero."""

    def change(old: dict[str, Any]) -> dict[str, Any]:
        from torch.optim.lr_scheduler import CosineAnnealingLR

        def cosine(optimizer: Any, steps: int) -> Any:
            return CosineAnnealingLR(optimizer, steps, eta_min=factor * optimizer.param_groups[0]["lr"])

        return {**old, "cosine": cosine}

    return change


def _late_drop(old: dict[str, Any]) -> dict[str, Any]:
    """A constant rate that falls to a tenth for the last hundredth of the run."""
    from torch.optim.lr_scheduler import LambdaLR

    return {**old, "constant": lambda opt, steps: LambdaLR(opt, lambda step: 0.1 if step > 0.99 * steps else 1.0)}


def _later_half(old: dict[str, Any]) -> dict[str, Any]:
    from torch.optim.lr_scheduler import LambdaLR

    return {**old, "linear_from_half": lambda opt, steps: LambdaLR(opt, lambda at: min(1.0, 2.02 * (1 - at / steps)))}


def _noisier(old: Any) -> Any:
    return lambda inputs, amplitude, generator: old(inputs, 1.01 * amplitude, generator)


def _biased(loss: Tensor, *rest: Any) -> Tensor:
    return loss * 1.001


def _metrics(name: str, **changed: Any) -> Change:
    """Objectives, one of them with other functions."""

    def change(old: dict[str, Any]) -> dict[str, Any]:
        from dataclasses import replace

        return {**old, name: replace(old[name], **changed)}

    return change


def _top_two(logits: Tensor, labels: Tensor) -> dict[str, float]:
    hits = logits.topk(2).indices == labels[:, None]
    rows = len(labels)
    return {"accuracy": hits[:, 0].sum().item() / rows, "top3_accuracy": hits.sum().item() / rows}


def _frozen(network: Any, *rest: Any) -> Any:
    """An activation's parameters that are not trained."""
    for site in network.sites:
        site.requires_grad_(False)
    return network


def _clipped(network: Any, *rest: Any) -> Any:
    for parameter in network.net.parameters():
        parameter.register_hook(lambda gradient: gradient.clamp(-0.02, 0.02))
    return network


def _half_of_steps(old: Any) -> Any:
    return lambda self, rows: old(self, rows) // 2 + 1


def _ones(mask: Any) -> Any:
    return lambda *args, **kwargs: mask(*args, **{**kwargs, "attn_mask": None})


def _attended(factor: float) -> Change:
    """Attention with another temperature."""

    def change(old: Any) -> Any:
        def attention(query: Tensor, *args: Any, **kwargs: Any) -> Any:
            kwargs["scale"] = factor * query.shape[-1] ** -0.5
            return old(query, *args, **kwargs)

        return attention

    return change


def _dropped(p_change: float, rescale: float = 1.0) -> Change:
    """Dropout of another rate, or of another scale."""

    def change(old: Any) -> Any:
        def dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
            out = old(x, p + p_change, training, inplace)
            return out * rescale if training else out

        return dropout

    return change


def _slower(old: Any) -> Any:
    from dataclasses import replace

    return lambda name, groups, recipe: old(name, groups, replace(recipe, learning_rate=recipe.learning_rate / 3))


def _decaying(old: Any) -> Any:
    return lambda name, groups, recipe: old(name, [{**one, "weight_decay": 1e-5} for one in groups], recipe)


def _undecayed(old: Any) -> Any:
    return lambda name, groups, recipe: old(
        name, [groups[0], *({**one, "weight_decay": 0} for one in groups[1:])], recipe
    )


ELU = "mlp-mlp-digits-elu-adam"
RELU = "mlp-mlp-digits-relu-sgd"
CNN = "cnn-cnn-digits-relu-adam"
WRN = "wrn-wrn_40_4-digits-elu-nesterov"
BERT = "bert-bert-cola-gelu-adamw"
SST2 = "bert-bert-sst2-gelu-adamw"
DROPOUT = "stochastic-mlp-mnist-relu-adam-dropout0.5"
RESNET = "schedules-resnet18-digits-relu-adamw-fixed"
TRIANGLE = "schedules-resnet18-digits-relu-adamw-triangular"
F = "torch.nn.functional"
OPTIMIZERS = "bench.training.optimizers.build"
SCHEDULES = "bench.training.schedules.SCHEDULES"
OBJECTIVES = "bench.training.objectives.OBJECTIVES"

_ENTRIES: Iterable[Fault] = (
    Fault("elu_half_alpha", "function", ELU, ((f"{F}.elu", _argument("alpha", lambda alpha: alpha / 2)),)),
    Fault("gelu_by_tanh", "function", "mlp-mlp-digits-gelu-adam", ((f"{F}.gelu", _calls(approximate="tanh")),)),
    Fault(
        "leaky_slope",
        "function",
        "mlp-mlp-digits-leaky_relu-adam",
        ((f"{F}.leaky_relu", _argument("negative_slope", lambda a: 1.01 * a)),),
    ),
    Fault("selu_scale", "function", "mlp-mlp-digits-selu-adam", ((f"{F}.selu", _then(lambda y, *_: y * 1.0001)),)),
    Fault(
        "sigmoid_shifted",
        "function",
        "mlp-mlp-digits-sigmoid-adam",
        (("torch.sigmoid", _then(lambda y, *_: y + 1e-5)),),
    ),
    Fault("relu_leaks", "function", CNN, ((f"{F}.relu", _then(lambda y, x, *_: y + 1e-6 * x)),)),
    Fault("relu_capped", "function", RELU, ((f"{F}.relu", _then(lambda y, *_: y.clamp(max=1.5))),)),
    Fault("gradient_leaks", "gradient", CNN, ((f"{F}.relu", _then(_leaking)),)),
    Fault("gradient_short", "gradient", ELU, ((f"{F}.elu", _then(_short_gradient)),)),
    Fault("gradient_clipped", "gradient", RELU, (("bench.training.setup.build", _then(_clipped)),)),
    Fault("gradient_missing", "gradient", RELU, ((f"{F}.relu", _then(lambda y, *_: y.detach())),)),
    Fault(
        "parameters_frozen",
        "parameters",
        "pos-tagger-twitter_pos-prelu-adam",
        (("bench.training.setup.build", _then(_frozen)),),
    ),
    Fault("parameters_undecayed", "parameters", "apl_depth-apl_cnn3-digits-apl-adam", ((OPTIMIZERS, _undecayed),)),
    Fault(
        "parameters_drawn_wider",
        "parameters",
        "apl_depth-apl_cnn3-digits-apl-adam",
        (("torch.nn.init.normal_", _argument("std", lambda std: 1.001 * std)),),
    ),
    Fault("max_pool_is_mean_pool", "layer", CNN, ((f"{F}.max_pool2d", _pooled_by_mean),)),
    Fault("linear_bias_lost", "layer", ELU, ((f"{F}.linear", lambda old: lambda x, w, b=None: old(x, w)),)),
    Fault("layer_norm_eps", "layer", BERT, ((f"{F}.layer_norm", _argument("eps", lambda eps: 1e-5)),)),
    Fault("batch_norm_eps", "layer", RESNET, ((f"{F}.batch_norm", _argument("eps", lambda eps: 2e-5)),)),
    Fault("kaiming_fan_out", "initialisation", RESNET, (("torch.nn.init.kaiming_normal_", _calls(mode="fan_out")),)),
    Fault(
        "kaiming_gain",
        "initialisation",
        ELU,
        (("torch.nn.init.kaiming_normal_", _then(lambda w, *_: w.data.mul_(1.001))),),
    ),
    Fault(
        "biases_not_zero", "initialisation", ELU, (("torch.nn.init.zeros_", _then(lambda b, *_: b.data.add_(1e-6))),)
    ),
    Fault(
        "other_weights",
        "initialisation",
        CNN,
        (("bench.cases.seeding.derive", _then(lambda seed, _, purpose: seed + (purpose == "weights"))),),
    ),
    Fault("adam_beta2", "optimizer", ELU, (("torch.optim.Adam", _calls(betas=(0.9, 0.99))),)),
    Fault("adam_eps", "optimizer", ELU, (("torch.optim.Adam", _calls(eps=2e-8)),)),
    Fault("adam_amsgrad", "optimizer", ELU, (("torch.optim.Adam", _calls(amsgrad=True)),)),
    Fault(
        "momentum_lost", "optimizer", "resnet50-resnet50-mnist-relu-sgd", (("torch.optim.SGD", _calls(momentum=0.0)),)
    ),
    Fault("nesterov_lost", "optimizer", WRN, (("torch.optim.SGD", _calls(nesterov=False)),)),
    Fault("decay_added", "optimizer", ELU, ((OPTIMIZERS, _decaying),)),
    Fault("decay_coupled", "optimizer", RESNET, (("torch.optim.AdamW", _instead("torch.optim:Adam")),)),
    Fault("gradients_kept", "optimizer", ELU, (("torch.optim:Optimizer.zero_grad", lambda old: lambda *_: None),)),
    Fault("third_of_the_rate", "schedule", ELU, ((OPTIMIZERS, _slower),)),
    Fault("cosine_ends_above_zero", "schedule", WRN, ((SCHEDULES, _floored(1e-4)),)),
    Fault("late_drop", "schedule", ELU, ((SCHEDULES, _late_drop),)),
    Fault("late_slope", "schedule", "gelu_cnn-gelu_cnn-digits-gelu-adam", ((SCHEDULES, _later_half),)),
    Fault("triangle_divisor", "schedule", TRIANGLE, (("bench.training.schedules.TRIANGLE_DIVISOR", lambda old: 24),)),
    Fault("half_of_the_steps", "schedule", TRIANGLE, (("bench.cases.recipe:Recipe.steps", _half_of_steps),)),
    Fault(
        "one_cycle_end",
        "schedule",
        "xresnet-xresnet18-digits-relu-adamw-epochs4",
        (("torch.optim.lr_scheduler.OneCycleLR", _calls(final_div_factor=1e3)),),
    ),
    Fault("label_smoothing", "loss", ELU, ((f"{F}.cross_entropy", _calls(label_smoothing=1e-4)),)),
    Fault("loss_scaled", "loss", CNN, ((f"{F}.cross_entropy", _then(_biased)),)),
    Fault(
        "smooth_l1",
        "loss",
        "autoencoder-autoencoder-mnist-relu-adam-lr0.001",
        ((f"{F}.mse_loss", _instead("torch.nn.functional:smooth_l1_loss")),),
    ),
    Fault(
        "evaluated_in_training_mode",
        "evaluation",
        DROPOUT,
        (("torch.nn:Module.eval", lambda old: lambda self: self.train()),),
    ),
    Fault("top_two", "evaluation", ELU, ((OBJECTIVES, _metrics("classification", metrics=_top_two)),)),
    Fault("more_test_noise", "evaluation", DROPOUT, (("bench.training.train.uniform_noise", _noisier),)),
    Fault("outputs_shifted", "evaluation", CNN, (("bench.training.train.evaluate", _brighter),)),
    Fault(
        "flip_rate",
        "augmentation",
        "complex-densenet121-cifar10-relu-adam",
        (("bench.training.augmentation.FLIP_RATE", lambda old: 0.6),),
        scale="small",
    ),
    Fault(
        "turned_less",
        "augmentation",
        "complex-senet18-cifar10-relu-adam",
        (("bench.training.augmentation.MAX_ANGLE", lambda old: 20.0),),
        scale="small",
    ),
    Fault(
        "not_augmented",
        "augmentation",
        "wrn-wrn_40_4-cifar100-relu-nesterov",
        (("bench.training.train.AUGMENTATIONS", _with({"crop_flip": lambda batch, draws: batch})),),
        scale="small",
    ),
    Fault(
        "padded_less",
        "augmentation",
        "wrn-wrn_40_4-cifar100-relu-nesterov",
        (("bench.training.augmentation.PADDING", lambda old: 3),),
        scale="small",
    ),
    Fault("dropout_rate", "dropout", DROPOUT, ((f"{F}.dropout", _dropped(0.02)),)),
    Fault("dropout_not_rescaled", "dropout", DROPOUT, ((f"{F}.dropout", _dropped(0.0, 0.5)),)),
    Fault("dropout_off", "dropout", DROPOUT, ((f"{F}.dropout", lambda old: lambda x, *_: x),)),
    Fault(
        "zoneout_off",
        "dropout",
        "stochastic-rnn-mnist-tanh-adam-zoneout0.15",
        (("torch.rand_like", _then(lambda drawn, *_: drawn + 1)),),
    ),
    Fault(
        "statistics_forget_slower",
        "statistics",
        RESNET,
        ((f"{F}.batch_norm", _argument("momentum", lambda momentum: 0.099)),),
    ),
    Fault(
        "statistics_of_the_batch",
        "statistics",
        WRN,
        ((f"{F}.batch_norm", _argument("training", lambda training: True)),),
    ),
    Fault("not_shuffled", "order", ELU, (("torch.randperm", _unshuffled),)),
    Fault("rows_swapped", "order", CNN, (("torch.randperm", _then(_wrong_neighbour)),)),
    Fault(
        "labels_shifted",
        "labels",
        ELU,
        (("bench.data.parts:Part.take", _then(lambda taken, *_: (taken[0], taken[1].roll(1)))),),
    ),
    Fault("one_label_wrong", "labels", CNN, (("bench.data.parts:Part.take", _then(_one_wrong)),)),
    Fault("attention_scale", "attention", BERT, ((f"{F}.scaled_dot_product_attention", _attended(1.001)),)),
    Fault("padding_attended", "attention", SST2, ((f"{F}.scaled_dot_product_attention", _ones),)),
    Fault("linear_in_bfloat16", "precision", ELU, ((f"{F}.linear", _then(_through("bfloat16"))),)),
    Fault("elu_in_float16", "precision", ELU, ((f"{F}.elu", _then(_through("float16"))),)),
    Fault("loss_in_float32", "precision", CNN, ((f"{F}.cross_entropy", _then(_through("float32"))),)),
    Fault("epochs_halved", "recipe", ELU, (("bench.cases.recipe:Recipe.__post_init__", _shorter),)),
)
FAULTS = {fault.name: fault for fault in _ENTRIES}
