"""What a network is trained for: `OBJECTIVES["classification"]`, or the reconstruction of its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scipy import stats
from torch import Tensor
from torch.nn import functional as F

from bench.data.parts import Part

# A classifier that only guesses is taken for trained once in a thousand runs.
GUESSING_QUANTILE = 0.999
# An autoencoder must be better than the best constant picture by this share of its error.
CONSTANT_MARGIN = 0.01


@dataclass(frozen=True)
class Objective:
    """Loss and metrics of outputs against the inputs and labels that they belong to.

    Attributes:
        loss: mean over the batch, differentiable.
        correct: number of right answers in a batch, as a tensor on its device; None where there is no such thing.
        metrics: fractions over a whole part, beyond the loss.
        is_guess: whether outputs on a part are no better than an answer that ignores the inputs.
    """

    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    correct: Callable[[Tensor, Tensor], Tensor] | None
    metrics: Callable[[Tensor, Tensor], Mapping[str, float]]
    is_guess: Callable[[Tensor, Part], bool]


def _top_accuracies(logits: Tensor, labels: Tensor) -> dict[str, float]:
    hits = logits.topk(min(3, logits.shape[1])).indices == labels[:, None]
    rows = len(labels)
    return {"accuracy": hits[:, 0].sum().item() / rows, "top3_accuracy": hits.sum().item() / rows}


def _is_guessed_label(logits: Tensor, part: Part) -> bool:
    """One predicted class, or accuracy inside the binomial band of the majority rate."""
    rows = len(part)
    guessing = stats.binom.ppf(GUESSING_QUANTILE, rows, part.majority_rate) / rows
    answers = logits.argmax(1)
    accuracy = (answers == part.labels).sum().item() / rows
    return bool(len(answers.unique()) == 1 or accuracy <= guessing)


def _squared_error(outputs: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
    """A pixel's mean squared error, pixels as the network sees them."""
    return F.mse_loss(outputs, inputs.flatten(1))


def _is_constant_picture(outputs: Tensor, part: Part) -> bool:
    """No better than the part's own mean picture, the best answer that ignores the inputs."""
    inputs = part.inputs.flatten(1)
    constant = (inputs - inputs.mean(0)).square().mean()
    return bool(F.mse_loss(outputs, inputs) >= (1 - CONSTANT_MARGIN) * constant)


OBJECTIVES: dict[str, Objective] = {
    "classification": Objective(
        loss=lambda logits, inputs, labels: F.cross_entropy(logits, labels),
        correct=lambda logits, labels: (logits.argmax(1) == labels).sum(),
        metrics=_top_accuracies,
        is_guess=_is_guessed_label,
    ),
    "reconstruction": Objective(
        loss=_squared_error,
        correct=None,
        metrics=lambda outputs, labels: {},
        is_guess=_is_constant_picture,
    ),
}
