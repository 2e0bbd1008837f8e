"""Experiment `cnn` (A1): which activation is best for PyTorch's tutorial CNN, and does the answer carry over?

pytest bench -k "cnn and digits"
pytest bench -k "cnn and cifar10 and elu" --scale small --data-dir DIR
"""

from bench.cases import Case, Experiment, Recipe, RunCase


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `small` and `paper`, a few seconds of it at `tiny`.

    The source: at most 50 epochs, early stopping on the validation loss with patience 5, all the data. It
    leaves out batch size, rates, momentum and the validation part. Here: batch 64, a tenth of the training part
    for validation, Adam at 1e-3 (which gives the source's accuracies and epochs to stop almost exactly), SGD at
    1e-2 without momentum (momentum shortens runs to half the source's epochs), torch's own initialisation, and the
    weights of the best epoch are tested.

    `tiny` trains on a few thousand images for two epochs in batches of 32, SGD with momentum 0.9 since it would
    not leave its plateau without; it keeps the question, not the accuracies. Sigmoid does not learn with SGD in
    so few steps, which is recorded as it is.
    """
    if scale == "tiny":
        return Recipe(
            version=1,
            epochs=5 if case.dataset == "digits" else 2,
            batch_size=32,
            learning_rate=1e-2 if case.optimizer == "sgd" else 1e-3,
            momentum=0.9 if case.optimizer == "sgd" else 0.0,
            initialisation="torch",
            train_size={"digits": 1200, "mnist": 4000, "cifar10": 6000}[case.dataset],
            validation_size=237 if case.dataset == "digits" else 500,
            test_size=None if case.dataset == "digits" else 2000,
            target_accuracy=0.35 if case.dataset == "cifar10" else 0.9,
            threads=1,
            seeds=3,
            recorded_seeds=20,
        )
    return Recipe(
        version=1,
        epochs=50,
        patience=5,
        batch_size=64,
        learning_rate=1e-2 if case.optimizer == "sgd" else 1e-3,
        initialisation="torch",
        validation_size={"digits": 237, "mnist": 6000, "cifar10": 5000}[case.dataset],
        target_accuracy=0.6 if case.dataset == "cifar10" else 0.98,
        seeds=3,
        recorded_seeds=3 if scale == "small" else 5,
    )


EXPERIMENT = Experiment(
    name="cnn",
    question="Which activation is best for a small CNN, whatever the data and the optimizer?",
    source="A1: slides on activation functions (000_a4fc070b01c658f7)",
    models=("cnn",),
    datasets=("mnist", "cifar10", "digits"),
    optimizers=("sgd", "adam"),
    activations=(
        *("sigmoid", "relu", "leaky_relu", "elu", "selu"),  # the source's own
        *("tanh", "gelu", "silu", "mish", "prelu", "rrelu", "apl", "tact", "mtact"),
    ),
    recipe=recipe,
)


def test_cnn(case: Case, run_case: RunCase) -> None:
    run_case(case)
