"""Experiment `hyperactivation` (D7): is an activation that is built during training worth its price?

pytest bench -k "hyperactivation and digits"
pytest bench -k "hyperactivation and mlp" --scale small --data-dir DIR
"""

from bench.cases import Case, Experiment, Recipe, RunCase


def recipe(case: Case, scale: str) -> Recipe:
    """Ten epochs of Adam at `small` and `paper`, a few seconds of it at `tiny`.

    The source only names hyperactivations as its next step. Their authors (Vercellino and Wang 2017, NIPS workshop)
    train 10 epochs with Adam, activation networks of 8 hidden units on MNIST and of 10 on CIFAR-10, where they have
    a residual network. They leave out rate, batch size and initialisation. Here: the networks of B1 and D4, 1e-3,
    batch 128, Kaiming, images in [-1, 1], and beside it relu and two other learned functions, APL and PAU.

    `small` takes minutes a run: ResNet-18 has a quarter of its width and 10000 images there. `tiny` trains the mlp
    for two epochs on 6000 images of MNIST, and ResNet-18 at an eighth of its width with one block a stage on 1200
    digits in batches of 32.
    """
    digits = case.dataset == "digits"
    if scale == "tiny":
        return Recipe(
            version=1,
            epochs=2,
            batch_size=32 if digits else 128,
            learning_rate=1e-3,
            initialisation="kaiming",
            train_size=1200 if digits else 6000,
            validation_size=237 if digits else 500,
            test_size=None if digits else 2000,
            model_arguments={"width": 0.125, "depth": 0.5, "stem": "cifar"} if digits else {},
            keep_functions=case.activation != "relu",
            threads=1,
            seeds=3,
            recorded_seeds=10,
        )
    narrow = scale == "small" and case.model == "resnet18"
    residual = {"width": 0.25 if narrow else 1.0, "stem": "imagenet"}
    built_for_cifar = case.activation == "hyperactivation" and case.dataset == "cifar10"
    return Recipe(
        version=1,
        epochs=10,
        batch_size=128,
        learning_rate=1e-3,
        initialisation="kaiming",
        train_size=10000 if narrow else None,
        validation_size=5000,
        model_arguments=residual if case.model == "resnet18" else {},
        activation_arguments={"hidden": 10} if built_for_cifar else {},
        keep_functions=case.activation != "relu",
        seeds=3,
        recorded_seeds=3,
    )


EXPERIMENT = Experiment(
    name="hyperactivation",
    question="Is an activation that is built during training better than fixed and other learned ones?",
    source="D7: Vercellino and Wang 2017, NIPS workshop; named in 003_f59602624db1a428, section 3",
    models=("mlp", "resnet18"),
    datasets=("mnist", "cifar10", "digits"),
    optimizers=("adam",),
    activations=("hyperactivation", "relu", "apl", "pau"),
    recipe=recipe,
    runs_at=lambda case, scale: (
        (case.model, case.dataset) in (("mlp", "mnist"), ("resnet18", "digits" if scale == "tiny" else "cifar10"))
    ),
    views=("functions",),
)


def test_hyperactivation(case: Case, run_case: RunCase) -> None:
    run_case(case)
