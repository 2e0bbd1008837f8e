"""Cases: what is compared, and what fixes the numbers of a run."""

from bench.cases.case import Case, Experiment, RunCase
from bench.cases.metric import Metric
from bench.cases.recipe import Recipe

__all__ = ["Case", "Experiment", "Metric", "Recipe", "RunCase"]
