"""The contract: what every activation of the registry keeps, and a user's own as well.

    pytest bench/checks/test_contract.py -k mish
    pytest bench --activation my_file.py:my_act -k "contract and my_act"

`CHECKS` are functions of a record that raise AssertionError with what is wrong and where, or `NotApplicable` with the
reason. A record lists the checks that it does not pass in its `exceptions`, each with the reason; `judge` demands that
it really fails those.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable
from typing import TypeAlias

import activations.contract.modules as modules
import activations.contract.noise as noise
import activations.contract.numerics as numerics
import activations.contract.tensors as tensors
import activations.contract.transforms as transforms
from activations._record import Activation
from activations.contract.accuracy import Errors, measure_errors
from activations.contract.subject import DTYPES, NotApplicable, ensure

__all__ = ["CHECKS", "Check", "Errors", "Excepted", "NotApplicable", "hold", "measure_errors"]

SHOWN = 400  # characters of what is wrong: errors of torch fill pages
Check: TypeAlias = Callable[[Activation], None]

CHECKS: dict[str, Check] = {
    **{f"{dtype}_values_are_exact": functools.partial(numerics.values_are_exact, dtype=dtype) for dtype in DTYPES},
    **{
        f"{dtype}_derivatives_are_exact": functools.partial(numerics.derivatives_are_exact, dtype=dtype)
        for dtype in DTYPES
    },
    **{
        f"fused_{dtype}_{what}_are_exact": functools.partial(check, dtype=dtype, fused=True)
        for dtype in ("float64", "float32")
        for what, check in (("values", numerics.values_are_exact), ("derivatives", numerics.derivatives_are_exact))
    },
    **{
        check.__name__: check
        for check in (
            numerics.gradients_are_finite,
            numerics.gradcheck_passes,
            numerics.gradgradcheck_passes,
            numerics.derivative_jumps_only_at_kinks,
            numerics.kinks_have_one_sided_derivatives,
            numerics.infinity_gives_the_limit,
            numerics.nan_stays_nan,
            tensors.is_elementwise,
            tensors.dtype_is_kept,
            tensors.dtype_is_kept_under_autocast,
            tensors.strided_input_agrees,
            tensors.channels_last_is_kept,
            tensors.empty_input_works,
            tensors.zero_dimensional_input_works,
            tensors.input_is_left_alone,
            tensors.meta_input_gives_meta_output,
            tensors.fake_input_gives_fake_output,
            tensors.fused_keeps_one_tensor,
            modules.parameters_are_those_of_the_record,
            modules.state_dict_restores_it,
            modules.deepcopy_agrees,
            modules.pickle_agrees,
            modules.reset_gives_initial_values,
            modules.training_leaves_no_trace,
            modules.dtype_can_be_changed,
            modules.function_agrees_with_module,
            modules.bad_arguments_are_refused,
            modules.integer_input_is_refused,
            transforms.compiles,
            transforms.exports,
            transforms.maps_over_examples,
            transforms.gives_per_example_gradients,
            transforms.forward_mode_agrees,
            transforms.fused_agrees_at_a_site,
            noise.evaluation_is_deterministic,
            noise.generator_reproduces,
            noise.backward_uses_the_same_noise,
            noise.checkpoint_uses_the_same_noise,
        )
    },
}


class Excepted(Exception):  # noqa: N818, no error but an outcome, as in pytest.xfail
    """The record says that this check fails, and it does; the reason is its message."""


def hold(name: str, entry: Activation) -> None:
    """Run a check, as the record's exceptions have it.

    Args:
        name: out of `CHECKS`.
        entry: registered; its modules are built by `activations.build`.

    Raises:
        AssertionError: it fails; or it holds although the record lists it as an exception.
        NotApplicable: it has nothing to say about this entry.
        Excepted: it fails, as the record says.
    """
    unknown = sorted(set(entry.exceptions) - set(CHECKS))
    ensure(not unknown, f"{entry.name}: exceptions from no check of the contract: {', '.join(unknown)}")
    reason = entry.exceptions.get(name)
    try:
        CHECKS[name](entry)
    except NotApplicable:
        if reason is None:
            raise
        raise AssertionError(f"{entry.name}: the check {name} does not apply; remove it from exceptions") from None
    except Exception as error:
        if reason is not None:
            raise Excepted(reason) from None
        kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
        said = textwrap.shorten(f"{kind}{error}", SHOWN, placeholder=" ...")
        raise AssertionError(f"{entry.name}: {name} does not hold: {said}") from error
    if reason is not None:
        raise AssertionError(f"{entry.name}: {name} holds; remove it from exceptions, whose reason was: {reason}")
