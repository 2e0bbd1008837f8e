"""What a network is trained for: `OBJECTIVES["classification"]`, of sentences, of its inputs, of what comes next."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from scipy import stats
from sklearn import metrics as scores
from torch import Tensor
from torch.nn import functional as F

from bench.cases.metric import Measured
from bench.cases.recipe import Recipe
from bench.data.parts import Part

# A classifier that only guesses is taken for trained once in a thousand runs.
GUESSING_QUANTILE = 0.999
# An autoencoder must be better than the best constant picture by this share of its error; what predicts characters
# better than the best constant answer.
CONSTANT_MARGIN = 0.01


@dataclass(frozen=True)
class Objective:
    """Loss and metrics of outputs against the inputs and labels that they belong to.

    Attributes:
        loss: mean over the batch, differentiable.
        correct: number of right answers in a batch, as a tensor on its device; None where there is no such thing.
        names: of the metrics over a whole part, beyond the loss.
        metrics: their values by name: fractions, or a correlation from -1 to 1.
        is_guess: whether outputs on a part are no better than an answer that ignores the inputs.
    """

    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    correct: Callable[[Tensor, Tensor], Tensor] | None
    names: tuple[str, ...]
    metrics: Callable[[Tensor, Tensor], Mapping[str, float]]
    is_guess: Callable[[Tensor, Part], bool]


def objective_of(recipe: Recipe) -> Objective:
    """What a recipe trains for, with the metric that it judges by among the metrics.

    Raises:
        ValueError: it judges by a metric of the outputs that neither the objective nor the metric itself computes.
    """
    objective, judged = OBJECTIVES[recipe.objective], Measured.parse(recipe.metric)
    if judged.part is None or judged.metric.name in ("loss", *objective.names):
        return objective
    name, compute = judged.metric.name, judged.metric.compute
    if compute is None:
        raise ValueError(
            f"recipe: {recipe.objective} does not compute {recipe.metric}; it computes "
            f"{', '.join(('loss', *objective.names))}; register a Metric with compute= for another"
        )
    return replace(
        objective,
        names=(*objective.names, name),
        metrics=lambda outputs, labels: {
            **objective.metrics(outputs, labels),
            name: float(compute(outputs, labels)),
        },
    )


def _top_accuracies(logits: Tensor, labels: Tensor) -> dict[str, float]:
    hits = logits.topk(min(3, logits.shape[1])).indices == labels[:, None]
    rows = len(labels)
    return {"accuracy": hits[:, 0].sum().item() / rows, "top3_accuracy": hits.sum().item() / rows}


def _sentence_scores(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """F1 is the mean over the classes weighted by their rows; GLUE's score for CoLA is Matthews' correlation.

    Warstadt et al. 2018, arXiv 1805.12471. Both count a class that is never answered as 0.
    """
    right, answers = labels.cpu().numpy(), logits.argmax(1).cpu().numpy()
    told_apart = len({*right.tolist(), *answers.tolist()}) > 1  # else there is nothing to correlate, and sklearn warns
    return {
        "accuracy": float(scores.accuracy_score(right, answers)),
        "f1": float(scores.f1_score(right, answers, average="weighted", zero_division=0.0)),
        "matthews_correlation": float(scores.matthews_corrcoef(right, answers)) if told_apart else 0.0,
    }


def _is_guessed_label(logits: Tensor, part: Part) -> bool:
    """One predicted class, or accuracy inside the binomial band of the majority rate."""
    rows = len(part)
    guessing = stats.binom.ppf(GUESSING_QUANTILE, rows, part.majority_rate) / rows
    answers = logits.argmax(1)
    accuracy = (answers == part.labels).sum().item() / rows
    return bool(len(answers.unique()) == 1 or accuracy <= guessing)


def _is_unrelated(logits: Tensor, part: Part) -> bool:
    """One predicted class, or a Matthews correlation that answers drawn at random reach too.

    Where one class has 70 % of the rows, as in CoLA, answers that tell something may be right less often than always
    naming that class: document A3 counts leaky_relu's accuracy of 0.683 as learned, beside 0.708 of the majority. With
    two classes, n times the square of the correlation is the chi square of their table.
    """
    chance = stats.norm.ppf(GUESSING_QUANTILE) / len(part) ** 0.5
    return bool(_sentence_scores(logits, part.labels)["matthews_correlation"] <= chance)


def _squared_error(outputs: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
    """A pixel's mean squared error, pixels as the network sees them."""
    return F.mse_loss(outputs, inputs.flatten(1))


def _is_constant_picture(outputs: Tensor, part: Part) -> bool:
    """No better than the part's own mean picture, the best answer that ignores the inputs."""
    inputs = part.inputs.flatten(1)
    constant = (inputs - inputs.mean(0)).square().mean()
    return bool(F.mse_loss(outputs, inputs) >= (1 - CONSTANT_MARGIN) * constant)


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """A character's mean, in nats; logits `(N, characters, ids)`."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten())


def _bits(logits: Tensor, labels: Tensor) -> dict[str, float]:
    return {"bits_per_character": _cross_entropy(logits, labels).item() / math.log(2)}


def _is_unigram(logits: Tensor, part: Part) -> bool:
    """No better than the shares of the part's own characters, the best answer that ignores the inputs."""
    shares = part.labels.flatten().bincount() / part.labels.numel()
    return bool(_cross_entropy(logits, part.labels) >= (1 - CONSTANT_MARGIN) * torch.special.entr(shares).sum())


CLASSIFICATION = Objective(
    loss=lambda logits, inputs, labels: F.cross_entropy(logits, labels),
    correct=lambda logits, labels: (logits.argmax(1) == labels).sum(),
    names=("accuracy", "top3_accuracy"),
    metrics=_top_accuracies,
    is_guess=_is_guessed_label,
)
OBJECTIVES: dict[str, Objective] = {
    "classification": CLASSIFICATION,
    "sentence_classification": replace(
        CLASSIFICATION,
        names=("accuracy", "f1", "matthews_correlation"),
        metrics=_sentence_scores,
        is_guess=_is_unrelated,
    ),
    "reconstruction": Objective(
        loss=_squared_error,
        correct=None,
        names=(),
        metrics=lambda outputs, labels: {},
        is_guess=_is_constant_picture,
    ),
    "next_character": Objective(
        loss=lambda logits, inputs, labels: _cross_entropy(logits, labels),
        correct=None,
        names=("bits_per_character",),
        metrics=_bits,
        is_guess=_is_unigram,
    ),
}
