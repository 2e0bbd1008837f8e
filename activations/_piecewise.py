"""A function of one number as polynomials between its breaks: `Piecewise(curve)`, from values alone.

Intervals are halved until a Chebyshev interpolant agrees with the function to `RESOLVED`; what is left unresolved at
`NARROW` holds a kink or a jump. Extremes, roots and integrals come from the polynomials, and the function itself
makes them exact. The method is that of Battles and Trefethen 2004 (SIAM J. Sci. Comput. 25), as in Chebfun.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebpts1
from scipy import optimize

from activations._curve import Curve, NoFactsError
from activations.reference import Array

REACH = 32.0  # the function is resolved between -REACH and REACH
NODES = 16
RESOLVED = 1e-13  # of the larger of 1 and the size of the interpolant
NARROW = 2.0**-20  # so wide that a kink cannot pass for resolved
MOST_HALVINGS = 4000
JUMP = 1e-4  # a smaller step of the value is none
KINK = 1e-4  # a smaller step of the derivative is none
WIDE = 2.0**-8  # a narrower piece tells no derivative: rounding of its values would drown it
TOUCH = 1e-12  # of the larger of 1 and |x|: as near as this is zero
# A zero is one if the function is farther than VISIBLE from zero APART from it: silu(x) - x, which is zero to all
# digits of float64 from 37 on, has none there.
VISIBLE = 1e-9
APART = 1 / 16


class Piece(NamedTuple):
    """Where the function is smooth: points, its values there, and the polynomial through them."""

    low: float
    high: float
    x: Array
    y: Array
    polynomial: Chebyshev

    def roots(self, polynomial: Chebyshev) -> Array:
        """The real ones within the piece, a constant having none."""
        if np.abs(polynomial.coef[1:]).sum() <= TOUCH:
            return np.array([])
        roots = polynomial.roots()
        real: Array = roots.real[np.abs(roots.imag) <= 1e-7 * (self.high - self.low)]
        within: Array = real[(self.low < real) & (real < self.high)]
        return within


class Break(NamedTuple):
    """Where two pieces meet and the value (`jump`) or the derivative steps."""

    x: float
    jump: bool


class Piecewise:
    """A function of one number between -REACH and REACH.

    Raises:
        NoFactsError: it is NaN or infinite somewhere, or too irregular to be resolved.
    """

    def __init__(self, curve: Curve) -> None:
        self.curve = curve
        self.pieces = list(_resolve(curve.value))
        joints = (self._break(left, right) for left, right in itertools.pairwise(self.pieces))
        self.breaks = [joint for joint in joints if joint]

    @functools.cached_property
    def samples(self) -> tuple[Array, Array]:
        """Where the function is known exactly, in ascending order: ends of pieces, nodes, and where it turns."""
        ends = np.unique([(piece.low, piece.high) for piece in self.pieces])
        turns = [piece.roots(piece.polynomial.deriv()) for piece in self.pieces]
        more = np.concatenate([ends, *turns])
        x = np.concatenate([more, *(piece.x for piece in self.pieces)])
        y = np.concatenate([self.curve.value(more), *(piece.y for piece in self.pieces)])
        order = np.argsort(x)
        return x[order], y[order]

    def extremes(self) -> tuple[float, float]:
        """Infimum and supremum of the values; at jumps, what it approaches from either side counts too."""
        least, greatest = float(self.samples[1].min()), float(self.samples[1].max())
        for piece in self.pieces:
            for beside in (float(piece.polynomial(end)) for end in (piece.low, piece.high) if self._jumps_at(end)):
                least = beside if beside < least - TOUCH else least
                greatest = beside if beside > greatest + TOUCH else greatest
        return least, greatest

    def slopes(self) -> Iterator[tuple[Array, Array]]:
        """Points and derivatives of each piece in ascending order, where it is steepest among them."""
        for piece in self.pieces:
            if piece.high - piece.low >= WIDE:
                first = piece.polynomial.deriv()
                x = np.concatenate([[piece.low], np.sort([*piece.x, *piece.roots(first.deriv())]), [piece.high]])
                yield x, first(x)

    def steepest(self) -> tuple[float, float]:
        """Least and greatest derivative."""
        found = [
            (slope, x, 1 if x == xs[0] else -1 if x == xs[-1] else 0)
            for xs, slopes in self.slopes()
            for x, slope in zip(xs.tolist(), slopes.tolist(), strict=True)
        ]
        least, greatest = (
            slope if self._jumps_at(x) else float(self.curve.derivative(np.array([x]), side=side)[0])
            for slope, x, side in (min(found), max(found))
        )
        return least, greatest

    def zeros(self, level: float, tilt: float = 0.0) -> list[tuple[float, float]]:
        """Where the function equals `level + tilt * x`: intervals in ascending order, a point being `(x, x)`."""

        def above(x: float) -> float:
            return float(self.curve.value(np.array([x]))[0]) - (level + tilt * x)

        x, y = self.samples
        h = y - (level + tilt * x)
        points = x[np.abs(h) <= TOUCH * np.maximum(1.0, np.abs(x))].tolist()
        changes = np.flatnonzero(h[:-1] * h[1:] < 0)
        points += [float(optimize.brentq(above, x[i], x[i + 1], xtol=1e-15)) for i in changes]
        if tilt:  # where the function turns, it has been sampled
            points += [at for piece in self.pieces for at in piece.roots(piece.polynomial.deriv() - tilt)]
        points = [at for at in points if abs(above(at)) <= TOUCH * max(1.0, abs(at))]
        found = self._intervals(level, tilt)
        for at in sorted(points, key=lambda at: (abs(above(at)), abs(at))):
            known = any(low - APART / 2 <= at <= high + APART / 2 for low, high in found)
            if not known and min(abs(above(at - APART)), abs(above(at + APART))) > VISIBLE:
                found.append((float(at), float(at)))
        return sorted(found)

    def _intervals(self, level: float, tilt: float) -> list[tuple[float, float]]:
        def on(piece: Piece) -> bool:
            line = level + tilt * piece.x
            return bool(np.all(np.abs(piece.y - line) <= 8 * np.finfo(float).eps * np.abs(line)))

        found = []
        for one, group in itertools.groupby(self.pieces, key=on):
            if not one:
                continue
            run = list(group)
            low, high = run[0].low, run[-1].high
            beside = np.array([x for x in (low - APART, high + APART) if abs(x) < REACH])
            visible = np.abs(self.curve.value(beside) - (level + tilt * beside)) > VISIBLE
            if visible.any() or not len(beside):
                found.append((self._snapped(low), self._snapped(high)))
        return found

    def _snapped(self, end: float) -> float:
        """The end of a piece, or the break that it stops short of."""
        return next((one.x for one in self.breaks if abs(one.x - end) <= 2 * NARROW), end)

    def _break(self, left: Piece, right: Piece) -> Break | None:
        """What happens between neighbours; they touch, or what lies between is no wider than NARROW."""
        a, b = left.high, right.low
        before, after = float(left.polynomial(a)), float(right.polynomial(b))
        if abs(after - before) > JUMP * max(1.0, abs(before)):
            middle = (before + after) / 2
            at = a if a == b else optimize.bisect(lambda x: self.curve.value(np.array([x]))[0] - middle, a, b)
            return Break(_tidy(at), jump=True)
        if abs(float(right.polynomial.deriv()(b)) - float(left.polynomial.deriv()(a))) <= KINK / 2:
            return None
        rise, climb = (float(self.curve.derivative(np.array([x]), side=side)[0]) for x, side in ((a, -1), (b, 1)))
        if abs(climb - rise) <= KINK:
            return None
        # Where the two tangents meet.
        return Break(_tidy(a + (after - before - climb * (b - a)) / (rise - climb)), jump=False)

    def _jumps_at(self, x: float) -> bool:
        return any(one.jump and abs(one.x - x) <= 2 * NARROW for one in self.breaks)


def _tidy(x: float) -> float:
    """As many digits as a break is known to."""
    return round(x, 9) + 0.0


def _resolve(value: Callable[[Array], Array]) -> Iterator[Piece]:
    """The pieces in ascending order; the narrow rest that holds a break is left out."""
    # Unit lengths where things happen, so that nothing narrow hides between the nodes.
    borders = [-REACH, -16.0, *np.arange(-8.0, 9.0), 16.0, REACH]
    waiting = list(itertools.pairwise(borders))[::-1]
    for _ in range(MOST_HALVINGS):
        if not waiting:
            return
        low, high = waiting.pop()
        half, middle = (high - low) / 2, (low + high) / 2
        nodes = middle + half * chebpts1(NODES)
        # The nodes stay away from the ends; two more points see a kink that lies between.
        inside = np.array([low + 1e-6 * half, high - 1e-6 * half])
        x = np.concatenate([nodes, inside])
        y = value(x)
        if not np.all(np.isfinite(y)):
            worst = x[~np.isfinite(y)][0]
            raise NoFactsError(
                f"it is not finite at {worst:.6g}; facts need a function that is finite on [-{REACH:g}, {REACH:g}]"
            )
        polynomial = Chebyshev.fit(nodes, y[:NODES], NODES - 1, domain=[low, high])
        near = RESOLVED * max(1.0, float(np.abs(y).max()))
        errors = np.abs([*polynomial.coef[-3:], *(polynomial(inside) - y[NODES:])])
        if errors.max() <= near:
            yield Piece(float(low), float(high), nodes, y[:NODES], polynomial)
        elif high - low > NARROW:
            waiting += [(middle, high), (low, middle)]
    raise NoFactsError(
        "it has too many kinks or too rough values; does it compute in less than float64, or draw noise?"
    )
