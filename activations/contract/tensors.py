"""Checks of tensors: shapes, memory formats, dtypes, tensors without data, and what is left alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

import activations.contract.subject as subject
import activations.contract.truth as truth
from activations._record import Activation
from activations.contract.memory import bytes_saved
from activations.contract.subject import DTYPES, NotApplicable

LARGE = (4, 32, 32)


def is_elementwise(entry: Activation) -> None:
    """Permuting the input permutes the output: no element looks at another."""
    if not subject.acts_elementwise(entry) or truth.inputs_of(entry) > 1:
        raise NotApplicable("does not claim to be a function of each number alone")
    made = subject.module(entry)
    x = torch.linspace(-5, 5, 60, dtype=torch.float64)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    subject.agree("the output of a permuted input is no permutation of the output", made(x[order]), made(x)[order])
    subject.agree("the output of a part of the input differs", made(x[:7]), made(x)[:7])
    subject.agree("the output in another shape differs", made(x.view(3, 4, 5)).flatten(), made(x))


def dtype_is_kept(entry: Activation) -> None:
    """Output and gradient have the dtype of the input, and the output its shape."""
    for name, dtype in DTYPES.items():
        made, x = subject.at_site(entry, dtype)
        output, gradient = subject.gradients(made, x)
        subject.ensure(output.dtype == dtype, f"the output of {name} is {output.dtype}")
        subject.ensure(gradient.dtype == dtype, f"the gradient of {name} is {gradient.dtype}")
        expected = (len(x), *subject.SHAPE)
        subject.ensure(output.shape == expected, f"the output has shape {tuple(output.shape)}, not {expected}")


def dtype_is_kept_under_autocast(entry: Activation) -> None:
    """So do they under autocast to bfloat16 on the CPU, parameters in float32."""
    for dtype in (torch.float32, torch.bfloat16):
        made, _ = subject.at_site(entry, torch.float32)
        x = subject.batch(entry, dtype=dtype).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            output = made(x)
        subject.ensure(output.dtype == dtype, f"the output of {dtype} under autocast is {output.dtype}")
        if output.requires_grad:
            (gradient,) = torch.autograd.grad(output, x, torch.ones_like(output))
            subject.ensure(gradient.dtype == dtype, f"the gradient of {dtype} under autocast is {gradient.dtype}")


def strided_input_agrees(entry: Activation) -> None:
    """Values and gradients of transposed, sliced and expanded tensors are those of their copies."""
    made, x = subject.at_site(entry)
    wide = torch.cat([x, x + 1], -1)
    for what, view in {
        "transposed": x.transpose(2, 3).contiguous().transpose(2, 3),
        "sliced": wide[..., ::2],
        "expanded": x[:1].expand_as(x),
    }.items():
        for part, got, expected in zip(
            ("output", "gradient"),
            subject.gradients(made, view),
            subject.gradients(made, view.contiguous()),
            strict=True,
        ):
            subject.agree(f"the {part} of a {what} tensor differs", got, expected)


def channels_last_is_kept(entry: Activation) -> None:
    """A channels_last input gives a channels_last output and gradient, and the same numbers."""
    made, x = subject.at_site(entry)
    found = subject.gradients(made, x.contiguous(memory_format=torch.channels_last))
    for part, got, expected in zip(("output", "gradient"), found, subject.gradients(made, x), strict=True):
        kept = got.is_contiguous(memory_format=torch.channels_last)
        subject.ensure(kept, f"the {part} of a channels_last tensor has strides {got.stride()}")
        subject.agree(f"the {part} of a channels_last tensor differs", got, expected)


def empty_input_works(entry: Activation) -> None:
    """No examples in, none out, and a gradient of that shape."""
    made, x = subject.at_site(entry)
    output, gradient = subject.gradients(made, x[:0])
    subject.ensure(output.shape == (0, *subject.SHAPE), f"an empty input gives shape {tuple(output.shape)}")
    subject.ensure(gradient.shape == x[:0].shape, f"an empty input gives a gradient of shape {tuple(gradient.shape)}")


def zero_dimensional_input_works(entry: Activation) -> None:
    """A tensor of no dimensions gives one, with the value of the same number in one dimension."""
    if not subject.acts_elementwise(entry) or truth.inputs_of(entry) > 1:
        raise NotApplicable("works along a dimension")
    made = subject.module(entry)
    x = torch.tensor([-0.75], dtype=torch.float64)
    for part, got, expected in zip(
        ("output", "gradient"), subject.gradients(made, x[0]), subject.gradients(made, x), strict=True
    ):
        subject.ensure(got.shape == (), f"the {part} of a tensor without dimensions has shape {tuple(got.shape)}")
        subject.agree(f"the {part} of a tensor without dimensions differs", got, expected[0])


def input_is_left_alone(entry: Activation) -> None:
    """Neither forward nor backward writes to its input, and the output shares no memory with it unless it is it."""
    made, x = subject.at_site(entry)
    before = x.clone()
    subject.gradients(made, x)
    subject.ensure(torch.equal(x, before), "the input has been changed in place")


def meta_input_gives_meta_output(entry: Activation) -> None:
    """A module on the meta device gives shape, dtype and memory format of the output without computing it."""
    made, x = subject.at_site(entry, torch.float32)
    output = made.to("meta")(x.to("meta"))
    _same_kind(output, (len(x), *subject.SHAPE), "meta")
    subject.ensure(output.is_meta, f"a meta input gives an output on {output.device}")


def fake_input_gives_fake_output(entry: Activation) -> None:
    """So does FakeTensorMode, backward included: what compilers and memory estimators run."""
    made, real = subject.at_site(entry, torch.float32)
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        x = mode.from_tensor(real).requires_grad_()
        output = made(x)
        subject.ensure(isinstance(output, FakeTensor), f"a fake input gives a {type(output).__name__}")
        _same_kind(output, (len(real), *subject.SHAPE), "fake")
        if output.requires_grad:
            (gradient,) = torch.autograd.grad(output.sum(), x)
            _same_kind(gradient, real.shape, "fake")


def _same_kind(output: Tensor, shape: tuple[int, ...], what: str) -> None:
    subject.ensure(output.shape == shape, f"a {what} input gives shape {tuple(output.shape)}, not {tuple(shape)}")
    subject.ensure(output.dtype == torch.float32, f"a {what} input in float32 gives {output.dtype}")


def fused_keeps_one_tensor(entry: Activation) -> None:
    """The fused form keeps at most one tensor of the input's size for backward."""
    subject.fused(entry)
    channels, *others = LARGE
    x = torch.randn(2, channels * entry.in_features_multiplier, *others)
    made = subject.module(entry, torch.float32, fused=True, shape=LARGE)
    saved = bytes_saved(lambda: made(x.requires_grad_()), excluded=made.parameters())
    # What belongs to a channel or to the whole site is small beside it.
    subject.ensure(saved < 1.5 * x.nbytes, f"the fused form keeps {saved / x.nbytes:.2f} tensors of its input's size")
