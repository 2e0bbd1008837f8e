"""Experiment `gelu_forms` (B8): do the approximations of GELU train as well as GELU, and better than ReLU and ELU?

pytest bench -k "gelu_forms"
pytest bench -k "gelu_forms" --scale small --data-dir DIR
"""

from bench.cases import Case, Experiment, Recipe, RunCase
from bench.experiments.test_mlp import recipe as mlp_recipe


def recipe(case: Case, scale: str) -> Recipe:
    """That of `mlp` (B1) at every scale: Adam at 1e-3, without dropout.

    The slides say that both approximations are below GELU and above ReLU and ELU, of no network in particular: it
    gets B1's. The paper (arXiv 1606.08415, section 4) says it of SiLU alone, and that it trained all its GELUs as
    `gelu_tanh`. The numeric error and the speed of each stand beside in the view.
    """
    return mlp_recipe(case, scale)


EXPERIMENT = Experiment(
    name="gelu_forms",
    question="Do both approximations of GELU lie between GELU and ReLU or ELU?",
    source="B8: slides on GELU (001_72408baea112c7d3); Hendrycks and Gimpel 2016, arXiv 1606.08415, section 4",
    models=("mlp",),
    datasets=("mnist",),
    optimizers=("adam",),
    activations=("gelu", "gelu_tanh", "gelu_sigmoid", "relu", "elu"),
    recipe=recipe,
    views=("forms", "curves"),
)


def test_gelu_forms(case: Case, run_case: RunCase) -> None:
    run_case(case)
