"""Experiment `vit`: which activation does a vision transformer learn images with, under AdamW and under Muon?

pytest bench -k "vit and digits"
pytest bench -k "vit and swiglu and (dyt or derf)"
pytest bench -k "vit and cifar10 and (relu or gelu)" --scale small --data-dir DIR
"""

from bench.cases import Case, Experiment, Recipe, RunCase

# In the place of the layer norms at `tiny`, with which activations: see `models.vit.NORMS`.
NORM_FREE = ("dyt", "derf")
WITHOUT_NORMS = ("relu", "gelu", "swiglu")


def recipe(case: Case, scale: str) -> Recipe:
    """DeiT-Ti on CIFAR-10 at `paper`, an eighth of it on a sixth of the images at `small`, digits at `tiny`.

    Touvron et al. 2020, arXiv 2012.12877, table 9: 300 epochs, AdamW at 5e-4 for batches of 512, weight decay 0.05,
    warm-up and half a cosine; here it warms up for 30 % of the steps, not for 5 epochs. CIFAR-10 with patches of 4
    pixels stands for ImageNet with patches of 16. Of what DeiT does against overfitting the suite has random crops and
    flips; it lacks RandAugment, mixup, CutMix, random erasing, repeated augmentation, label smoothing and stochastic
    depth. Weight decay is of all parameters, where DeiT spares biases, norms, positions and the class token. Gated
    activations have hidden layers of two thirds of the width, so that all have about equal parameters (Shazeer 2020,
    arXiv 2002.05202). Muon orthogonalises the matrices of attention and feed-forward networks; patches, positions, head
    and what an activation trains take AdamW, at the same rate and decay: see `bench.training.muon`.

    The rates of `tiny` are out of {3e-3, 6e-3, 1e-2} for AdamW and {3e-3, 1e-2} for Muon, by relu, gelu and swiglu;
    those of `small` and of Muon at `paper` are not tuned. Weights of 0.1 save the epochs in which weights of 0.02
    grow. 114 steps leave relu, gelu and swiglu below the 96 % that they reach by Muon in 152.

    Two variants replace all layer norms by DyT (Zhu et al. 2025, arXiv 2503.10622) or Derf (Chen et al. 2025, arXiv
    2512.10938): do the hidden activations keep their order? Nothing makes small numbers larger there, so that weights
    start at 0.2: from 0.1 relu learned to 52 % by Derf in five epochs.
    """
    if scale == "tiny":
        norm = "".join(case.settings)
        start = {"norm": norm, "initializer_range": 0.2} if norm else {"initializer_range": 0.1}
        return Recipe(
            version=1,
            epochs=6,
            batch_size=64,
            learning_rate={"adamw": 6e-3, "muon": 1e-2}[case.optimizer],
            schedule="one_cycle",
            weight_decay=0.05,
            initialisation="own",
            train_size=1200,
            validation_size=237,
            model_arguments={"patch": 2, "width": 48, "depth": 2, "heads": 3, **start},
            threads=1,
            hidden_zeros=True,
            recorded_seeds=10,
        )
    small = scale == "small"
    return Recipe(
        version=1,
        epochs=3 if small else 300,
        batch_size=64 if small else 512,
        learning_rate={"adamw": 1e-3, "muon": 3e-3}[case.optimizer] if small else 5e-4,
        schedule="one_cycle",
        weight_decay=0.05,
        initialisation="own",
        preprocessing="standard",
        augmentation="crop_flip",
        train_size=8000 if small else None,
        validation_size=1000 if small else 5000,
        test_size=5000 if small else None,
        model_arguments={"patch": 4, "width": 96, "depth": 6, "heads": 3}
        if small
        else {"patch": 4, "width": 192, "depth": 12, "heads": 3},
        precision="float32" if small else "bfloat16",
        hidden_zeros=True,
        recorded_seeds=3,
    )


def runs_at(case: Case, scale: str) -> bool:
    """Digits at `tiny`, where a part of the activations runs without norms; CIFAR-10 beyond."""
    if (case.dataset == "digits") != (scale == "tiny"):
        return False
    without_norms = scale == "tiny" and case.optimizer == "adamw" and case.activation in WITHOUT_NORMS
    return not case.variant or without_norms


EXPERIMENT = Experiment(
    name="vit",
    question="Which activation does a vision transformer learn images with?",
    source="Touvron et al. 2020, arXiv 2012.12877 (DeiT); Zhu et al. 2025, arXiv 2503.10622 (DyT)",
    models=("vit",),
    datasets=("digits", "cifar10"),
    activations=(
        *("relu", "gelu", "silu", "mish", "tanh", "relu_squared", "leaky_relu_squared", "xielu"),
        *("swiglu", "geglu", "reglu", "swiglu_clamped", "poly_norm", "identity"),
    ),
    optimizers=("adamw", "muon"),
    variants=("", *NORM_FREE),
    recipe=recipe,
    runs_at=runs_at,
)


def test_vit(case: Case, run_case: RunCase) -> None:
    run_case(case)
