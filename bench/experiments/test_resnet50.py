"""Experiment `resnet50` (A2): which activation is best for a deep residual network, and is it the small CNN's?

pytest bench -k "resnet50 and mnist"
pytest bench -k "resnet50 and cifar10 and elu" --scale paper
"""

from bench.cases import Case, Experiment, Recipe, RunCase


def recipe(case: Case, scale: str) -> Recipe:
    """The source's recipe at `paper`, ten epochs of it at `small`, a few dozen steps of a thin one at `tiny`.

    The source: torchvision's ResNet-50 with its input channels adapted, so 28 and 32 pixels go through the stem for
    photographs; at most 50 epochs, early stopping on the validation loss with patience 5, all the data, one run. It
    leaves out batch size, rates, momentum, the validation part and the initialisation. Here they are those of `cnn`
    (A1), of which the source says the same, but for the initialisation, torchvision's, and the runs, three since one
    has no band.

    `small` is made for a GPU. `tiny` has one block a stage of an eighth of the channels, and SGD gets momentum 0.9 to
    come as far as it can in so few steps; stem, bottlenecks, shortcuts and batch norms stay.
    """
    if scale == "tiny":
        return Recipe(
            version=2,
            epochs=3,
            batch_size=32,
            learning_rate=1e-2 if case.optimizer == "sgd" else 1e-3,
            momentum=0.9 if case.optimizer == "sgd" else 0.0,
            initialisation="torchvision_resnet",
            train_size=1500,
            validation_size=500,
            test_size=2000,
            model_arguments={"width": 0.125, "depth": 0.2, "stem": "imagenet"},
            target_accuracy=0.35 if case.dataset == "cifar10" else 0.9,
            threads=1,
            seeds=3,
            recorded_seeds=10,
        )
    return Recipe(
        version=2,
        epochs=10 if scale == "small" else 50,
        batch_size=64,
        learning_rate=1e-2 if case.optimizer == "sgd" else 1e-3,
        initialisation="torchvision_resnet",
        validation_size={"mnist": 6000, "cifar10": 5000}[case.dataset],
        model_arguments={"stem": "imagenet"},
        patience=5,
        target_accuracy=0.6 if case.dataset == "cifar10" else 0.98,
        seeds=3,
        recorded_seeds=3,
    )


EXPERIMENT = Experiment(
    name="resnet50",
    question="Which activation is best for ResNet-50, whatever the data and the optimizer?",
    source="A2: slides on activation functions (000_a4fc070b01c658f7)",
    models=("resnet50",),
    datasets=("mnist", "cifar10"),
    optimizers=("sgd", "adam"),
    activations=("sigmoid", "relu", "leaky_relu", "elu", "selu"),
    recipe=recipe,
    views=("literature", "curves"),
)


def test_resnet50(case: Case, run_case: RunCase) -> None:
    run_case(case)
