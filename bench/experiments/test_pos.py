"""Experiment `pos` (B4): does GELU tag the words of tweets better than ReLU and ELU, where examples are few?

pytest bench -k "pos and gelu" --data-dir DIR
pytest bench -k "pos and (gelu or relu or elu)" --scale small --data-dir DIR --vectors FILE
"""

from bench.cases import Case, Experiment, Recipe, RunCase

# Ours beside the source's gelu, relu and elu; they have no variants.
ADDED = ("sigmoid", "tanh", "leaky_relu", "selu", "silu", "mish", "prelu", "apl", "tact", "mtact", "glu", "swiglu")


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `small` and `paper`, 3 epochs on 6000 words at `tiny`.

    The source (arXiv 1606.08415, section 3.3): 2 layers of 256, 0.8 of the units kept, Adam at a rate out of
    {1e-3, 1e-4, 1e-5}, median of 5 runs. It compares rates by the test error; here validation chooses, in a view. The
    case without a variant is Adam at 1e-3. Batches of 16 and 30 epochs are of the authors' code (twitter_pos.py),
    the document has neither. With learned vectors the validation loss is at its lowest after 1 epoch at 1e-3 and after
    3 to 6 at 1e-4, and still falls after 30 at 1e-5: a run stops when it has not fallen for 5 epochs, and its best
    weights are tested.
    The weights of a unit have length 1 together, as in the authors' code and in section 3.1, and the biases are zero.

    Its word vectors of 56 million tweets are in the authors' repository (data/Tweets/embeddings-twitter.txt), in the
    format that `--vectors` takes; there both ends of a tweet have the vector of `</s>`, here they are zero. By default
    vectors are learned for features made from Brown clusters of tweets and from spelling.
    """
    learning_rate = case.settings.get("lr", 1e-3)
    if scale == "tiny":
        return Recipe(
            version=2,
            epochs=3,
            batch_size=32,
            learning_rate=learning_rate,
            initialisation="unit_norm_rows",
            train_size=6000,
            validation_size=2000,
            test_size=3000,
            target_accuracy=0.8,
            threads=1,
            seeds=3,
            recorded_seeds=10,
        )
    return Recipe(
        version=2,
        epochs=30,
        patience=5,
        batch_size=16,
        learning_rate=learning_rate,
        initialisation="unit_norm_rows",
        validation_size=None,
        target_accuracy=0.88,
        seeds=5,
        recorded_seeds=5,
        aggregate="median",
    )


def runs_at(case: Case, scale: str) -> bool:
    """Variants of the source's three activations; at `tiny` one lower rate."""
    if not case.variant:
        return True
    return case.activation not in ADDED and (scale != "tiny" or case.variant == "lr0.0001")


EXPERIMENT = Experiment(
    name="pos",
    question="Does GELU tag tweets better than ReLU and ELU, where examples are few?",
    source="B4: Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.3",
    models=("tagger",),
    datasets=("twitter_pos",),
    optimizers=("adam",),
    activations=("gelu", "relu", "elu", *ADDED),
    variants=("", "lr0.0001", "lr0.00001"),
    recipe=recipe,
    runs_at=runs_at,
    views=("rates", "curves"),
)


def test_pos(case: Case, run_case: RunCase) -> None:
    run_case(case)
