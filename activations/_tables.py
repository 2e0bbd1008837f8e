"""Facts about activations as text for a terminal: `print(overview([properties("relu"), properties("silu")]))`."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tabulate import tabulate

import activations._registry as registry
from activations._properties import Properties, Range
from activations._record import Activation

if TYPE_CHECKING:
    from activations.contract.accuracy import Errors

WIDTH = 110
SHOWN_POINTS = 3
SHAPE = "C1: continuously differentiable; centred: f(0) = 0 and both signs; f' monotonic: convex or concave."
START = "x from N(0, 1); gain = 1 / sqrt(E f(x)^2), for weights of variance gain^2 / fan_in."


def overview(found: Sequence[Properties]) -> str:
    """Two tables, of the shapes and for initialisation, and below them those that are no function of one number."""
    judged = [one for one in found if not one.reason]
    parts = []
    if judged:
        shape = {
            "activation": [one.name for one in judged],
            "range": [_span(one.range) for one in judged if one.range],
            "smooth": [_smooth(one) for one in judged],
            "monotonic": [_words(f=one.monotonic, f_=one.monotonic_derivative) for one in judged],
            "near 0": ["identity" if one.approximates_identity else _words(centred=one.zero_centred) for one in judged],
            "saturates": [_words(left=one.saturates_left, right=one.saturates_right) for one in judged],
            "Lipschitz": [_number(one.lipschitz) for one in judged],
            "kinks": [_points([(x, x) for x in one.kinks or ()]) for one in judged],
        }
        start = {
            "activation": [one.name for one in judged],
            "params": [str(one.trainable_parameters or "") for one in judged],
            "f(0)": [_number(one.value_at_zero) for one in judged],
            "f'(0)": [_slopes(one) for one in judged],
            "E f": [_number(one.mean) for one in judged],
            "var f": [_number(one.variance) for one in judged],
            "gain": [_number(one.gain) for one in judged],
            "E f'^2": [_number(one.mean_square_derivative) for one in judged],
            "fixed points": [_points(one.fixed_points or ()) for one in judged],
        }
        parts += [f"Shape. {SHAPE}", _table(shape), "", f"Start. {START}", _table(start)]
    reasons: dict[str, list[str]] = {}
    for one in found:
        if one.reason:
            reasons.setdefault(one.reason, []).append(one.name)
    parts += [_wrapped(f"{reason}: {', '.join(names)}") for reason, names in reasons.items()]
    return "\n".join(parts)


def sheet(one: Properties) -> str:
    """Everything about one activation."""
    lines = facts(one)
    title = max(map(len, lines))
    body = (
        textwrap.fill(
            text, WIDTH, initial_indent=f"{key:<{title}}  ", subsequent_indent=" " * (title + 2), break_on_hyphens=False
        )
        for key, text in lines.items()
    )
    return "\n".join([registry.info(one.name).label, *body])


def facts(one: Properties) -> dict[str, str]:
    """Everything about one activation, by what it is about; what there is none of is left out."""
    entry = registry.info(one.name)
    lines = {
        "name": ", ".join([entry.name, *entry.aliases]),
        "family": entry.family,
        "source": entry.source,
        "variant of": entry.variant_of or "",
        "variants": ", ".join(name for name in registry.names() if registry.info(name).variant_of == entry.name),
        "notes": entry.notes,
        "backward": "multiplies by the derivative of a surrogate, not by f'" if entry.surrogate else "",
        "arguments": "; ".join(
            f"{name} = {argument.default}, {argument}" for name, argument in entry.arguments.items()
        ),
        "parameters": "; ".join(f"{name} = {_value(value)}" for name, value in entry.parameters.items())
        + (f" (one set a {entry.parameters_per})" if entry.parameters_per else ""),
        "inputs an output": str(entry.in_features_multiplier) if entry.in_features_multiplier > 1 else "",
        "facts": one.reason or _at(one.values),
        **(_shape(one) if not one.reason else {}),
    }
    return {key: text for key, text in lines.items() if text}


def _shape(one: Properties) -> dict[str, str]:
    assert one.range is not None
    assert one.derivative_range is not None
    declared = {True: "as the record says", False: "NOT those of the record", None: ""}[one.kinks_as_declared]
    return {
        "range": _where(one.range),
        "derivative": f"from {_number(one.derivative_range[0])} to {_number(one.derivative_range[1])}",
        "nonlinear": _yes(one.nonlinear),
        "smooth": {"C1": "continuously differentiable", "kinks": "continuous, with kinks"}.get(
            _smooth(one), "it jumps"
        ),
        "kinks": f"{_points([(x, x) for x in one.kinks or ()], most=20) or 'none'} ({declared})".removesuffix(" ()"),
        "monotonic": _yes(one.monotonic),
        "f' monotonic": _yes(one.monotonic_derivative),
        "identity near 0": _yes(one.approximates_identity),
        "zero-centred": _yes(one.zero_centred),
        "saturates": _words(left=one.saturates_left, right=one.saturates_right) or "no",
        "Lipschitz": _number(one.lipschitz),
        "fixed points": _points(one.fixed_points or (), most=20) or "none",
        "at 0": f"f = {_number(one.value_at_zero)}, f' = {_slopes(one)}",
        "for N(0, 1)": f"mean {_number(one.mean)}, variance {_number(one.variance)}, gain {_number(one.gain)}, "
        f"E f'^2 {_number(one.mean_square_derivative)}",
    }


def tree(entries: Sequence[Activation], marked: Collection[str] = ()) -> str:
    """The families, the originals in each and what was derived from them.

    Args:
        entries: what to show; an activation whose original is not among them stands as one.
        marked: names to mark with an asterisk.
    """
    names = {entry.name for entry in entries}
    below: dict[str, list[Activation]] = {}
    for entry in entries:
        parent = entry.variant_of if entry.variant_of in names else None
        below.setdefault(f"name {parent}" if parent else f"family {entry.family}", []).append(entry)

    def branches(key: str, indent: str, family: str) -> Iterator[str]:
        children = below.get(key, [])
        for number, child in enumerate(children, 1):
            last = number == len(children)
            star = "*" if child.name in marked else ""
            away = f" [{child.family}]" if child.family != family else ""
            yield f"{indent}{'└── ' if last else '├── '}{child.label}{star} ({child.name}){away}"
            yield from branches(f"name {child.name}", indent + ("    " if last else "│   "), child.family)

    families = dict.fromkeys(entry.family for entry in entries)
    return "\n".join(
        line
        for family in families
        if f"family {family}" in below
        for line in (family, *branches(f"family {family}", "", family))
    )


def accuracy(found: Mapping[str, Sequence[Errors]]) -> str:
    """Worst errors in units in the last place, by activation and dtype."""
    dtypes = [str(errors.dtype).removeprefix("torch.") for errors in next(iter(found.values()))]
    rows = [[name, *(_worst(errors) for errors in each)] for name, each in found.items()]
    table = tabulate(rows, headers=["ulp of f, f'", *dtypes], disable_numparse=True)
    return f"{table}\n! beyond the bounds of the record; NaN at finite x and changed dtypes are said so"


def _worst(errors: Errors) -> str:
    wrong = "!" if errors.wrong_values or errors.wrong_derivatives else ""
    nan = " NaN" if errors.nan_values or errors.nan_derivatives else ""
    return f"{errors.value_ulp:.3g}, {errors.derivative_ulp:.3g}{wrong}{nan}{' dtype' * errors.dtype_changed}"


def _table(columns: Mapping[str, Iterable[str]]) -> str:
    return tabulate(columns, headers="keys", disable_numparse=True)


def _smooth(one: Properties) -> str:
    return "C1" if one.continuously_differentiable else "kinks" if one.continuous else "jumps"


def _words(**said: bool | None) -> str:
    """The keywords that hold; `f_` is read f'."""
    return " ".join(word.replace("_", "'") for word, holds in said.items() if holds)


def _yes(said: bool | None) -> str:
    return "yes" if said else "no"


def _number(value: float | None, digits: int = 4) -> str:
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value if abs(value) > 1e-12 else 0:.{digits}g}"


def _slopes(one: Properties) -> str:
    left, right = one.slopes_at_zero or (math.nan, math.nan)
    return _number(left) if math.isclose(left, right, abs_tol=1e-6) else f"{_number(left)} | {_number(right)}"


def _points(intervals: Iterable[tuple[float, float]], most: int = SHOWN_POINTS) -> str:
    """Points and intervals, the ones nearest to zero where there are too many."""
    everything = list(intervals)
    nearest = sorted(everything, key=lambda pair: 0.0 if pair[0] <= 0 <= pair[1] else min(map(abs, pair)))[:most]
    words = [_number(low) if low == high else f"{_number(low)} to {_number(high)}" for low, high in sorted(nearest)]
    return ", ".join([*words, *["..."] * (len(everything) > most)])


def _span(span: Range, digits: int = 4) -> str:
    """Square brackets where a bound is attained."""
    left, right = "(["[span.low_at is not None], ")]"[span.high_at is not None]
    return f"{left}{_number(span.low, digits)}, {_number(span.high, digits)}{right}"


def _where(span: Range) -> str:
    bounds = (("least", span.low_at), ("greatest", span.high_at))
    return ", ".join([_span(span, 12), *(f"{word} at x = {_number(at, 10)}" for word, at in bounds if at is not None)])


def _value(value: object) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_value, value)) + ")"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _at(values: Mapping[str, object]) -> str:
    return "at " + ", ".join(f"{name} = {_value(value)}" for name, value in values.items()) if values else ""


def _wrapped(text: str) -> str:
    return textwrap.fill(text[:1].upper() + text[1:], WIDTH, subsequent_indent="  ", break_on_hyphens=False)
