"""Planted faults: what a probe must notice. `with FAULTS["elu_half_alpha"].planted(): ...`.

    python -m bench.checks faults

Each is a change of torch or of this suite such as a mistake or a new version may bring, put in from outside for as long
as the context lasts. A new one is one entry. `case` is one that the fault reaches.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from unittest.mock import patch

from bench.checks.changes import (
    Change,
    attended,
    biased,
    brighter,
    clipped,
    decaying,
    dropped,
    floored,
    frozen,
    half_of_steps,
    in_float32,
    instead,
    late_drop,
    later_half,
    leaking,
    noisier,
    one_further,
    one_wrong,
    ones,
    pooled_by_mean,
    short_gradient,
    shorter,
    slower,
    then,
    through,
    top_two,
    undecayed,
    unshuffled,
    with_argument,
    with_keywords,
    with_metrics,
    wrong_neighbour,
)

KINDS = (
    *("function", "gradient", "parameters", "layer", "initialisation", "optimizer", "schedule", "loss", "evaluation"),
    *("augmentation", "dropout", "statistics", "order", "labels", "attention", "precision", "recipe"),
)


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


ELU = "mlp-mlp-digits-elu-adam"
RELU = "mlp-mlp-digits-relu-sgd"
CNN = "cnn-cnn-digits-relu-adam"
WRN = "wrn-wrn_40_4-digits-elu-nesterov"
BERT = "bert-bert-cola-gelu-adamw"
SST2 = "bert-bert-sst2-gelu-adamw"
DROPOUT = "stochastic-mlp-mnist-relu-adam-dropout0.5"
GPT, MUON = "gpt-gpt-made_text-relu-adamw", "gpt-gpt-made_text-relu-muon"
VIT = "vit-vit-digits-gelu-adamw"
RESNET = "schedules-resnet18-digits-relu-adamw-fixed"
TRIANGLE = "schedules-resnet18-digits-relu-adamw-triangular"
F = "torch.nn.functional"
OPTIMIZERS = "bench.training.optimizers.build"
SCHEDULES = "bench.training.schedules.SCHEDULES"
OBJECTIVES = "bench.training.objectives.OBJECTIVES"

_ENTRIES: Iterable[Fault] = (
    Fault("elu_half_alpha", "function", ELU, ((f"{F}.elu", with_argument("alpha", lambda alpha: alpha / 2)),)),
    Fault("gelu_by_tanh", "function", "mlp-mlp-digits-gelu-adam", ((f"{F}.gelu", with_keywords(approximate="tanh")),)),
    Fault(
        "leaky_slope",
        "function",
        "mlp-mlp-digits-leaky_relu-adam",
        ((f"{F}.leaky_relu", with_argument("negative_slope", lambda a: 1.01 * a)),),
    ),
    Fault("selu_scale", "function", "mlp-mlp-digits-selu-adam", ((f"{F}.selu", then(lambda y, *_: y * 1.0001)),)),
    Fault(
        "sigmoid_shifted",
        "function",
        "mlp-mlp-digits-sigmoid-adam",
        (("torch.sigmoid", then(lambda y, *_: y + 1e-5)),),
    ),
    Fault("relu_leaks", "function", CNN, ((f"{F}.relu", then(lambda y, x, *_: y + 1e-6 * x)),)),
    Fault("relu_capped", "function", RELU, ((f"{F}.relu", then(lambda y, *_: y.clamp(max=1.5))),)),
    Fault("gradient_leaks", "gradient", CNN, ((f"{F}.relu", then(leaking)),)),
    Fault("gradient_short", "gradient", ELU, ((f"{F}.elu", then(short_gradient)),)),
    Fault("gradient_clipped", "gradient", RELU, (("bench.training.setup.build", then(clipped)),)),
    Fault("gradient_missing", "gradient", RELU, ((f"{F}.relu", then(lambda y, *_: y.detach())),)),
    Fault(
        "parameters_frozen",
        "parameters",
        "pos-tagger-twitter_pos-prelu-adam",
        (("bench.training.setup.build", then(frozen)),),
    ),
    Fault("parameters_undecayed", "parameters", "apl_depth-apl_cnn3-digits-apl-adam", ((OPTIMIZERS, undecayed),)),
    Fault(
        "parameters_drawn_wider",
        "parameters",
        "apl_depth-apl_cnn3-digits-apl-adam",
        (("torch.nn.init.normal_", with_argument("std", lambda std: 1.001 * std)),),
    ),
    Fault("max_pool_is_mean_pool", "layer", CNN, ((f"{F}.max_pool2d", pooled_by_mean),)),
    Fault("linear_bias_lost", "layer", ELU, ((f"{F}.linear", lambda old: lambda x, w, b=None: old(x, w)),)),
    Fault("layer_norm_eps", "layer", BERT, ((f"{F}.layer_norm", with_argument("eps", lambda eps: 1e-5)),)),
    Fault("batch_norm_eps", "layer", RESNET, ((f"{F}.batch_norm", with_argument("eps", lambda eps: 2e-5)),)),
    Fault(
        "kaiming_fan_in", "initialisation", RESNET, (("torch.nn.init.kaiming_normal_", with_keywords(mode="fan_in")),)
    ),
    Fault(
        "kaiming_gain",
        "initialisation",
        RELU,
        (("torch.nn.init.kaiming_normal_", then(lambda w, *_: w.data.mul_(1.001))),),
    ),
    Fault("rows_longer_than_one", "initialisation", ELU, ((f"{F}.normalize", then(lambda w, *_: 1.001 * w)),)),
    Fault("biases_not_zero", "initialisation", ELU, (("torch.nn.init.zeros_", then(lambda b, *_: b.data.add_(1e-6))),)),
    Fault(
        "other_weights",
        "initialisation",
        CNN,
        (("bench.cases.seeding.derive", then(lambda seed, _, purpose: seed + (purpose == "weights"))),),
    ),
    Fault("adam_beta2", "optimizer", ELU, (("torch.optim.Adam", with_keywords(betas=(0.9, 0.99))),)),
    Fault("adam_eps", "optimizer", ELU, (("torch.optim.Adam", with_keywords(eps=2e-8)),)),
    Fault("adam_amsgrad", "optimizer", ELU, (("torch.optim.Adam", with_keywords(amsgrad=True)),)),
    Fault(
        "momentum_lost",
        "optimizer",
        "resnet50-resnet50-mnist-relu-sgd",
        (("torch.optim.SGD", with_keywords(momentum=0.0)),),
    ),
    Fault("nesterov_lost", "optimizer", WRN, (("torch.optim.SGD", with_keywords(nesterov=False)),)),
    Fault("decay_added", "optimizer", ELU, ((OPTIMIZERS, decaying),)),
    Fault("decay_coupled", "optimizer", RESNET, (("torch.optim.AdamW", instead("torch.optim:Adam")),)),
    Fault("gradients_kept", "optimizer", ELU, (("torch.optim:Optimizer.zero_grad", lambda old: lambda *_: None),)),
    Fault("third_of_the_rate", "schedule", ELU, ((OPTIMIZERS, slower),)),
    Fault("cosine_ends_above_zero", "schedule", WRN, ((SCHEDULES, floored(1e-4)),)),
    Fault("late_drop", "schedule", ELU, ((SCHEDULES, late_drop),)),
    Fault("late_slope", "schedule", "gelu_cnn-gelu_cnn-digits-gelu-adam", ((SCHEDULES, later_half),)),
    Fault("triangle_divisor", "schedule", TRIANGLE, (("bench.training.schedules.TRIANGLE_DIVISOR", lambda old: 24),)),
    Fault("half_of_the_steps", "schedule", TRIANGLE, (("bench.cases.recipe:Recipe.steps", half_of_steps),)),
    Fault(
        "one_cycle_end",
        "schedule",
        "xresnet-xresnet18-digits-relu-adamw-epochs4",
        (("torch.optim.lr_scheduler.OneCycleLR", with_keywords(final_div_factor=1e3)),),
    ),
    Fault("label_smoothing", "loss", ELU, ((f"{F}.cross_entropy", with_keywords(label_smoothing=1e-4)),)),
    Fault("loss_scaled", "loss", CNN, ((f"{F}.cross_entropy", then(biased)),)),
    Fault(
        "smooth_l1",
        "loss",
        "autoencoder-autoencoder-mnist-relu-adam-lr0.001",
        ((f"{F}.mse_loss", instead("torch.nn.functional:smooth_l1_loss")),),
    ),
    Fault(
        "evaluated_in_training_mode",
        "evaluation",
        DROPOUT,
        (("torch.nn:Module.eval", lambda old: lambda self: self.train()),),
    ),
    Fault("top_two", "evaluation", CNN, ((OBJECTIVES, with_metrics("classification", metrics=top_two)),)),
    Fault("more_test_noise", "evaluation", DROPOUT, (("bench.training.train.uniform_noise", noisier),)),
    Fault("outputs_shifted", "evaluation", CNN, (("bench.training.train.evaluate", brighter),)),
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
        (("bench.training.step.AUGMENTATIONS", lambda old: {**old, "crop_flip": old["none"]}),),
        scale="small",
    ),
    Fault(
        "padded_less",
        "augmentation",
        "wrn-wrn_40_4-cifar100-relu-nesterov",
        (("bench.training.augmentation.PADDING", lambda old: 3),),
        scale="small",
    ),
    Fault("dropout_rate", "dropout", DROPOUT, ((f"{F}.dropout", dropped(0.02)),)),
    Fault("dropout_not_rescaled", "dropout", DROPOUT, ((f"{F}.dropout", dropped(0.0, 0.5)),)),
    Fault("dropout_off", "dropout", DROPOUT, ((f"{F}.dropout", lambda old: lambda x, *_: x),)),
    Fault(
        "zoneout_off",
        "dropout",
        "stochastic-rnn-mnist-tanh-adam-zoneout0.15",
        (("torch.rand_like", then(lambda drawn, *_: drawn + 1)),),
    ),
    Fault(
        "statistics_forget_slower",
        "statistics",
        RESNET,
        ((f"{F}.batch_norm", with_argument("momentum", lambda momentum: 0.099)),),
    ),
    Fault(
        "statistics_of_the_batch",
        "statistics",
        WRN,
        ((f"{F}.batch_norm", with_argument("training", lambda training: True)),),
    ),
    Fault("not_shuffled", "order", ELU, (("torch.randperm", unshuffled),)),
    Fault("rows_swapped", "order", CNN, (("torch.randperm", then(wrong_neighbour)),)),
    Fault(
        "labels_shifted",
        "labels",
        ELU,
        (("bench.data.parts:Part.take", then(lambda taken, *_: (taken[0], taken[1].roll(1)))),),
    ),
    Fault("one_label_wrong", "labels", CNN, (("bench.data.parts:Part.take", then(one_wrong)),)),
    Fault("attention_scale", "attention", BERT, ((f"{F}.scaled_dot_product_attention", attended(1.001)),)),
    Fault("padding_attended", "attention", SST2, ((f"{F}.scaled_dot_product_attention", ones),)),
    Fault("not_causal", "attention", GPT, ((f"{F}.scaled_dot_product_attention", with_keywords(is_causal=False)),)),
    Fault("causal", "attention", VIT, ((f"{F}.scaled_dot_product_attention", with_keywords(is_causal=True)),)),
    Fault("position_off_by_one", "layer", GPT, ((f"{F}.embedding", one_further),)),
    Fault("itself_for_the_next", "labels", GPT, (("bench.data.parts:Part.take", then(lambda took, *_: took[:1] * 2)),)),
    Fault("muon_without_momentum", "optimizer", MUON, (("bench.training.muon.MOMENTUM", lambda old: 0.0),)),
    Fault(
        "muon_not_orthogonal",
        "optimizer",
        MUON,
        (("bench.training.muon.orthogonalised", instead("torch.nn.functional:normalize")),),
    ),
    Fault("linear_in_bfloat16", "precision", ELU, ((f"{F}.linear", then(through("bfloat16"))),)),
    Fault("elu_in_float16", "precision", ELU, ((f"{F}.elu", then(through("float16"))),)),
    Fault("loss_in_float32", "precision", CNN, ((f"{F}.cross_entropy", then(through("float32"))),)),
    Fault(
        "gelu_by_tanh_in_float32",
        "precision",
        "mlp-mlp-digits-gelu-adam",
        ((f"{F}.gelu", in_float32(with_keywords(approximate="tanh"))),),
    ),
    Fault(
        "linear_in_bfloat16_where_float32", "precision", ELU, ((f"{F}.linear", in_float32(then(through("bfloat16")))),)
    ),
    Fault("conv_in_float16_where_float32", "precision", CNN, ((f"{F}.conv2d", in_float32(then(through("float16")))),)),
    Fault(
        "attention_in_float16_where_float32",
        "precision",
        BERT,
        ((f"{F}.scaled_dot_product_attention", in_float32(then(through("float16")))),),
    ),
    Fault("epochs_halved", "recipe", ELU, (("bench.cases.recipe:Recipe.__post_init__", shorter),)),
)
FAULTS = {fault.name: fault for fault in _ENTRIES}
