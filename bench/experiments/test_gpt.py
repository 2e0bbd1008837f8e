"""Experiment `gpt`: which activation does a decoder-only transformer learn text with, under AdamW and under Muon?

pytest bench -k "gpt and made_text"
pytest bench -k "gpt and tiny_shakespeare" --scale small --data-dir DIR
pytest bench -k "gpt and text" --scale paper --text FILE
"""

from bench.cases import Case, Experiment, Recipe, RunCase

# Characters of a row, as the data sets have them.
ROW = {"made_text": 16, "tiny_shakespeare": 128, "text": 1024}
# Of the claims and the wish lists; at `tiny` the others learn the made text alone.
CHOSEN = ("relu", "gelu", "relu_squared", "swiglu")


def recipe(case: Case, scale: str) -> Recipe:
    """GPT-2's smallest at `paper`, 1 M parameters on one MB at `small`, 0.1 M on a text of known entropy at `tiny`.

    The network is GPT-2's (Radford et al. 2019) with neither biases nor dropout, on bytes in the place of word pieces:
    85 M parameters at `paper`, where the 38 M of GPT-2's embedding are 0.2 M. Gated activations have hidden layers of
    two thirds of the width, so that all have about equal parameters (Shazeer 2020, arXiv 2002.05202). The weight decay
    of 0.1 is that of GPT-3 (Brown et al. 2020, arXiv 2005.14165, appendix B), as is the rate of 6e-4 at `paper`; rates
    rise for 30 % of the steps and fall by half a cosine. AdamW has torch's betas. Muon orthogonalises the matrices of
    attention and feed-forward networks; embedding, head, positions, norms and what an activation trains take AdamW,
    at the same rate and decay: see `bench.training.muon`.

    The rates of `tiny` are out of {5e-3, 1e-2} for AdamW and {1e-2, 2e-2} for Muon: within a pair relu, gelu,
    relu_squared and swiglu differ by less than 0.03 bits; those of `small` are not tuned. Positions in rows of 16
    letters are learned in its 160 steps, in rows of 128 they begin to be: the real text, with four of the activations,
    is learned about as far as pairs of characters tell (3.4 bits). The wider weights of 0.05 save the quarter of the
    steps in which weights of 0.02 grow. What can be learned of the made text ends at 2.379 bits: see
    `bench.data.made_text`.
    """
    rate = {
        "tiny": {"adamw": 5e-3, "muon": 1e-2},
        "small": {"adamw": 3e-3, "muon": 5e-3},
        "paper": {"adamw": 6e-4, "muon": 6e-4},
    }[scale][case.optimizer]
    if scale == "paper":
        return Recipe(
            version=1,
            epochs=10,
            batch_size=64,
            learning_rate=rate,
            schedule="one_cycle",
            weight_decay=0.1,
            initialisation="own",
            validation_size=1000,
            objective="next_character",
            model_arguments={"width": 768, "depth": 12, "heads": 12},
            precision="bfloat16",
            hidden_zeros=True,
            recorded_seeds=3,
            metric="test_bits_per_character",
        )
    tiny = scale == "tiny"
    batch_size = 1024 // ROW[case.dataset]
    return Recipe(
        version=1,
        epochs=2,
        batch_size=batch_size,
        learning_rate=rate,
        schedule="one_cycle",
        weight_decay=0.1,
        initialisation="own",
        train_size=(80 if tiny else 300) * batch_size,
        validation_size=None,
        objective="next_character",
        model_arguments={"width": 64, "depth": 2, "heads": 2, "initializer_range": 0.05}
        if tiny
        else {"width": 128, "depth": 5, "heads": 4},
        threads=1 if tiny else None,
        hidden_zeros=True,
        recorded_seeds=10 if tiny else 3,
        metric="test_bits_per_character",
    )


def runs_at(case: Case, scale: str) -> bool:
    """The made text at `tiny`, with a part of the real one; the user's own beyond, at `paper` alone."""
    if scale == "tiny":
        return case.dataset == "made_text" or (case.dataset == "tiny_shakespeare" and case.activation in CHOSEN)
    return case.dataset == "text" or (case.dataset == "tiny_shakespeare" and scale == "small")


EXPERIMENT = Experiment(
    name="gpt",
    question="Which activation does a decoder-only transformer learn text with?",
    source="Radford et al. 2019 (GPT-2); Shazeer 2020, arXiv 2002.05202; So et al. 2021, arXiv 2109.08668",
    models=("gpt",),
    datasets=("made_text", "tiny_shakespeare", "text"),
    activations=(
        *("relu", "gelu", "silu", "mish", "tanh", "relu_squared", "leaky_relu_squared", "xielu"),
        *("swiglu", "geglu", "reglu", "swiglu_clamped", "poly_norm", "identity"),
    ),
    optimizers=("adamw", "muon"),
    recipe=recipe,
    runs_at=runs_at,
)


def test_gpt(case: Case, run_case: RunCase) -> None:
    run_case(case)
