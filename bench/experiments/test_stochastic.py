"""Experiment `stochastic` (B9): is GELU as good as the random maps that it is the mean of, or that resemble it?

pytest bench -k "stochastic"
pytest bench -k "stochastic and rnn" --scale small --data-dir DIR
"""

from dataclasses import replace

from bench.cases import Case, Experiment, Recipe, RunCase
from bench.experiments.test_mlp import recipe as mlp_recipe


def recipe(case: Case, scale: str) -> Recipe:
    """That of `mlp` (B1), for both networks, and at `small` 20 of its 50 epochs.

    The slides and the paper's last version name the relatives and measure none. GELU stands beside ReLU with dropout
    and beside the stochastic 0/1 map in the fully connected network, and with zoneout in one of 128 recurrent units
    that reads MNIST row by row. Dropout 0.5 is B1's; zoneout 0.15 is that of Krueger et al. 2016 (arXiv 1606.01305) on
    the permuted pixels of MNIST. Adam at 1e-3 serves the recurrent network too; torch's own initialisation keeps its 28
    steps from blowing up.

    `tiny` has 3 of the 8 fully connected layers, with and without dropout alike: through all 8 nothing is learned in
    so few steps at dropout 0.5. The recurrent network sees two thirds of the images for four epochs.
    """
    recipe = mlp_recipe(case, scale)
    if scale == "small":
        recipe = replace(recipe, version=3, epochs=20)
    settings = case.settings
    if case.model == "mlp":
        sizes = {"depth": 3} if scale == "tiny" else {}
        return replace(recipe, model_arguments={"dropout": settings.get("dropout", 0.0), **sizes})
    recipe = replace(recipe, initialisation="torch", model_arguments={"zoneout": settings.get("zoneout", 0.0)})
    return replace(recipe, epochs=4, train_size=4000) if scale == "tiny" else recipe


def runs_at(case: Case, scale: str) -> bool:
    """Each noise in its network; the stochastic map is noise enough by itself, and tanh is the recurrent network's."""
    settings = case.settings
    if case.model == "rnn":
        return "dropout" not in settings and case.activation != "gelu_stochastic"
    alone = case.activation == "gelu_stochastic" and "dropout" in settings
    return "zoneout" not in settings and case.activation != "tanh" and not alone


EXPERIMENT = Experiment(
    name="stochastic",
    question="Does GELU do without noise what dropout, zoneout and the stochastic 0/1 map do with it?",
    source="B9: slides on GELU (001_72408baea112c7d3); Hendrycks and Gimpel 2016, arXiv 1606.08415, section 2",
    models=("mlp", "rnn"),
    datasets=("mnist",),
    optimizers=("adam",),
    activations=("gelu", "gelu_stochastic", "relu", "tanh"),
    variants=("", "dropout0.5", "zoneout0.15"),
    recipe=recipe,
    runs_at=runs_at,
    views=("curves",),
)


def test_stochastic(case: Case, run_case: RunCase) -> None:
    run_case(case)
