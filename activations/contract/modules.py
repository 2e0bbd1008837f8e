"""Checks of modules: copies, files, devices, the functional form, and what is refused."""

from __future__ import annotations

import copy
import functools
import inspect
import io
import math
import pickle
from collections.abc import Callable
from typing import Any

import torch

import activations._registry as registry
import activations.contract.subject as subject
from activations._arguments import Choice, Number
from activations._record import Activation
from activations.contract.subject import DTYPES, NotApplicable
from activations.pointwise import Pointwise


def state_dict_restores_it(entry: Activation) -> None:
    """A new module with the state of another computes the same, and has the same trainable parameters."""
    made, x = subject.at_site(entry)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(1.25)
    file = io.BytesIO()
    torch.save(made.state_dict(), file)
    file.seek(0)
    other, _ = subject.at_site(entry)
    other.load_state_dict(torch.load(file, weights_only=True))
    subject.agree("after load_state_dict the output differs", other(x), made(x), ulp=0)


def deepcopy_agrees(entry: Activation) -> None:
    """A deep copy computes the same with parameters of its own."""
    made, x = subject.at_site(entry)
    _same_but_apart(made, copy.deepcopy(made), x)


def pickle_agrees(entry: Activation) -> None:
    """So does what is pickled and read back."""
    if subject.is_own(entry):
        raise NotApplicable("a user's file is not importable by name: save the state_dict")
    made, x = subject.at_site(entry)
    _same_but_apart(made, pickle.loads(pickle.dumps(made)), x)


def _same_but_apart(made: torch.nn.Module, twin: torch.nn.Module, x: torch.Tensor) -> None:
    subject.agree("the copy computes something else", twin(x), made(x), ulp=0)
    for (name, one), (_, other) in zip(made.named_parameters(), twin.named_parameters(), strict=True):
        subject.ensure(one.data_ptr() != other.data_ptr(), f"the copy shares the parameter {name}")


def reset_gives_initial_values(entry: Activation) -> None:
    """Built on the meta device, `to_empty` and `reset_parameters` make of it what a new one is, as FSDP needs it."""
    if not any(True for _ in subject.module(entry).parameters()):
        raise NotApplicable("no trainable parameters")
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        new = registry.build(entry.name, shape=subject.SHAPE)
        with torch.device("meta"):
            other = registry.build(entry.name, shape=subject.SHAPE)
        other.to_empty(device="cpu")
        torch.manual_seed(0)
        for part in other.modules():
            if any(True for _ in part.parameters(recurse=False)) and not hasattr(part, "reset_parameters"):
                raise NotApplicable(
                    f"{type(part).__name__} has no reset_parameters: do not build it on the meta device"
                )
            getattr(part, "reset_parameters", lambda: None)()
    x = subject.batch(entry, dtype=torch.float32)
    subject.agree("after reset_parameters the output differs", other(x), new(x), ulp=0)


def training_leaves_no_trace(entry: Activation) -> None:
    """In training neither a buffer changes nor the output of the same input, noise apart."""
    made, x = subject.at_site(entry)
    made.train()
    before = {name: buffer.clone() for name, buffer in made.named_buffers()}
    outputs = []
    for _ in range(2):
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            outputs.append(subject.gradients(made, x)[0])
    changed = [name for name, buffer in made.named_buffers() if not torch.equal(buffer, before[name])]
    subject.ensure(
        not changed, f"training changes {', '.join(changed)}: what it computes depends on the batches before"
    )
    subject.agree("in training the same input gives another output the second time", outputs[1], outputs[0], ulp=0)


def dtype_can_be_changed(entry: Activation) -> None:
    """`.to(dtype)` moves all floating point parameters and buffers, and the module works in that dtype."""
    for name, dtype in DTYPES.items():
        made, _ = subject.at_site(entry, torch.float32)
        made.to(dtype)
        for key, tensor in made.state_dict().items():
            right = tensor.dtype == dtype or not tensor.is_floating_point()
            subject.ensure(right, f"{key} stays {tensor.dtype} after .to({name})")
        subject.ensure(
            made(subject.batch(entry, dtype=dtype)).dtype == dtype, f"after .to({name}) the output is of another dtype"
        )


def parameters_are_those_of_the_record(entry: Activation) -> None:
    """The trainable parameters of the module are those that the record names, with its initial values."""
    if subject.is_own(entry):
        raise NotApplicable("a user's record names no parameters")
    found = {name for name, _ in registry.build(entry.name).named_parameters()}
    named = set(entry.parameters)
    if found and named and not found & named:
        raise NotApplicable("the parameters of the formula are made by a network")
    right = found == named if subject.acts_elementwise(entry) else found >= named
    subject.ensure(right, f"trainable: {sorted(found)}; in the record: {sorted(named)}")


def function_agrees_with_module(entry: Activation) -> None:
    """The functional form computes what the module does, with the record's values as arguments."""
    if entry.function is None:
        raise NotApplicable("a module only")
    function = registry.function(entry.name)
    made = subject.module(entry)
    x = subject.batch(entry)
    if not isinstance(function, Pointwise):
        try:
            known = set(inspect.signature(function).parameters)
        except ValueError:  # a builtin of torch, whose defaults must do
            known = set()
        constants = {name: value for name, value in entry.defaults.items() if name in known}
        subject.agree("function and module differ", function(x, **constants), made(x))
        return
    values = {name: value for name, value in entry.defaults.items() if name in function.constants}
    if not subject.has_its_parameters(entry, made):
        raise NotApplicable("the module's parameters are made by a network")
    weights = subject.weights_of(entry, torch.float64)
    subject.agree("function and module differ", function(x, *weights, **values), made(x))


def bad_arguments_are_refused(entry: Activation) -> None:
    """A value that the record does not allow, and an unknown name: ValueError with the name and what is allowed."""
    build = functools.partial(registry.build, entry.name)
    for name, argument in entry.arguments.items():
        for value in _refused(argument):
            message = _refusal(build, **{name: value})
            subject.ensure(name in message, f"{name}={value!r} is refused without naming {name}: {message}")
            subject.ensure(
                str(argument) in message, f"{name}={value!r} is refused without saying what is allowed: {message}"
            )
    message = _refusal(build, no_such_argument=1)
    known = [name for name in ("no_such_argument", *entry.arguments) if name not in message]
    subject.ensure(not known, f"an unknown argument is refused without naming {known}: {message}")


def integer_input_is_refused(entry: Activation) -> None:
    """ValueError naming the dtype, where the module is ours."""
    made = subject.module(entry, torch.float32)
    if subject.is_torchs(made) or subject.is_own(entry):
        raise NotApplicable("not our module")
    message = _refusal(made, subject.batch(entry).to(torch.int64))
    subject.ensure("int64" in message, f"integers are refused without naming their dtype: {message}")


def _refused(argument: Number | Choice) -> list[Any]:
    candidates: list[Any] = ["no such value", math.nan, math.inf, True]
    if isinstance(argument, Number):
        limits = (argument.least - 1, argument.most + 1, argument.above, argument.below)
        candidates += [limit for limit in limits if math.isfinite(limit)]
        candidates += [0.5] if argument.whole else []
    return [value for value in candidates if not argument.allows(value)]


def _refusal(called: Callable[..., object], *positional: Any, **arguments: Any) -> str:
    try:
        called(*positional, **arguments)
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{arguments or 'integers'} are taken without an error")
