"""A metric of one's own, better when lower: the share of wrong answers, 1 less the accuracy."""

from bench.cases.metric import Metric


def wrong_answers(outputs, labels):
    """Of a part's outputs and labels."""
    return float((outputs.argmax(1) != labels).float().mean())


ERROR = Metric("error", higher_is_better=False, unit="fraction", digits=2, step=1, compute=wrong_answers)
