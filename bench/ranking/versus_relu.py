"""Does an added activation differ from relu beyond the noise? `versus_relu.paragraph("my_act", ranked)`.

Runs of one seed share their initial weights and batches, so the differences are taken seed by seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bench.cases.case import REFERENCE
from bench.ranking.rank import RankedBlock
from bench.records import case_runs
from bench.stats import moderated

# All intervals of a paragraph hold together with this confidence (Bonferroni over its blocks).
CONFIDENCE = 0.95


@dataclass(frozen=True)
class VersusRelu:
    """Mean of the differences to relu over n shared seeds, and the half width of its interval (None at n = 1)."""

    block: RankedBlock
    mean: float
    half_width: float | None
    n: int

    @property
    def verdict(self) -> str:
        if math.isnan(self.mean):
            return "not comparable: runs without a finite value"
        if self.half_width is None:
            return "one seed tells nothing"
        if not abs(self.mean) > self.half_width:
            return "no difference beyond the noise"
        return "better" if (self.mean > 0) == self.block.higher_is_better else "worse"

    @property
    def line(self) -> str:
        measured = self.block.first.measured
        scale, unit = measured.factor, measured.points
        if math.isnan(self.mean):
            return f"  {self.block.title}: {self.verdict}"
        interval = "" if self.half_width is None else f" ± {self.half_width * scale:.2f}"
        return f"  {self.block.title}: {self.mean * scale:+.2f}{interval}{unit} (n={self.n}), {self.verdict}"


def paragraphs(names: Sequence[str], ranked: Sequence[RankedBlock]) -> list[str]:
    """One for each activation that shares a block with relu."""
    return [text for name in names if name != REFERENCE and (text := paragraph(name, ranked))]


def paragraph(name: str, ranked: Sequence[RankedBlock]) -> str:
    """What the blocks say of an activation versus relu; empty where they share none."""
    found = [one for block in ranked if (one := _difference(name, block, len(ranked)))]
    if not found:
        return ""
    apart = [one for one in found if one.verdict in ("better", "worse")]
    head = (
        f"{name} versus {REFERENCE}, same seeds, same weights, same batches: it differs beyond the noise in "
        f"{len(apart) or 'none'} of {len(found)} blocks"
    )
    widths = [one.half_width for one in found if one.half_width is not None and one.block.first.measured.points]
    lines = [head + ":", *(one.line for one in found)]
    if widths and len(apart) < len(found):
        seeds = max(one.n for one in found)
        lines.append(
            f"  These {seeds} seeds could not have shown less than about {max(widths) * 100:.1f} points; "
            f"four times as many (--seeds {4 * seeds}) show half of that."
        )
    return "\n".join(lines)


def _difference(name: str, block: RankedBlock, blocks: int) -> VersusRelu | None:
    values = {row.activation: row.runs.of(block.metric) for row in block.rows if row.activation in (name, REFERENCE)}
    if len(values) < 2:
        return None
    shared = sorted(values[name].keys() & values[REFERENCE].keys())
    differences = np.array([values[name][seed] - values[REFERENCE][seed] for seed in shared])
    if not len(shared) or not np.isfinite(differences).all():
        return VersusRelu(block, math.nan, None, len(shared))
    half = None
    if len(shared) > 1:
        # A difference of two rounded values has twice the variance of rounding.
        step = math.sqrt(2) * case_runs.step_of(block.metric, block.first.case.dataset, block.first.recipe["test_size"])
        error = math.sqrt(moderated.variance(differences.tolist(), step) / len(shared))
        half = error * float(stats.t.isf((1 - CONFIDENCE) / 2 / blocks, len(shared) - 1))
    return VersusRelu(block, float(differences.mean()), half, len(shared))
