"""Recipe: everything but the case that fixes the numbers, frozen and versioned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, TypeAlias, get_args

from bench.cases.metric import Measured
from models import Equal

Scale: TypeAlias = Literal["tiny", "small", "paper"]
SCALES: tuple[Scale, ...] = get_args(Scale)
Precision: TypeAlias = Literal["float32", "bfloat16"]
MemoryFormat: TypeAlias = Literal["contiguous", "channels_last"]
Aggregate: TypeAlias = Literal["mean", "median"]
ObjectiveName: TypeAlias = Literal["classification", "sentence_classification", "reconstruction", "next_character"]
Preprocessing: TypeAlias = Literal["range", "unit_range", "standard", "zca"]
# From black to white, where a preprocessing keeps the two: 1 on the scale of pixels in [0, 1].
CONTRAST: Mapping[str, float] = {"range": 2.0, "unit_range": 1.0}
Augmentation: TypeAlias = Literal["none", "flip_rotate", "crop_flip", "reflect_crop_flip"]
Schedule: TypeAlias = Literal["constant", "linear_from_half", "cosine", "triangular", "one_cycle"]

_WORDS: dict[str, Any] = {
    "schedule": Schedule,
    "preprocessing": Preprocessing,
    "augmentation": Augmentation,
    "objective": ObjectiveName,
    "equal": Equal,
    "precision": Precision,
    "memory_format": MemoryFormat,
    "aggregate": Aggregate,
}


@dataclass(frozen=True)
class Recipe:
    """How one case is trained and judged at one scale.

    Attributes:
        version: raised whenever the numbers may change; baselines of another version do not count.
        epochs: at most; `patience` may end a run earlier.
        batch_size: examples a step.
        learning_rate: of the optimizer; the highest one where a schedule changes it.
        schedule: how the rate changes from step to step, see `bench.training.schedules`.
        initialisation: a name of `models.INITIALISATIONS`.
        momentum: of sgd.
        weight_decay: L2, of all parameters but those of an activation whose source asks for another.
        decay_biases: whether it counts for biases too, those of batch norms among them.
        train_size: examples to train on; None takes all that validation leaves.
        validation_size: examples split off the training part by a fixed seed, or taken of the data set's own
            validation part; None takes all of that.
        test_size: examples of the test part to use; None takes all.
        preprocessing: of the inputs, fitted on the rows trained on: `range` (to [-1, 1]), `unit_range` (to [0, 1]),
            `standard` (mean 0 and sd 1 a channel) or `zca` (whitening).
        encoder: pretrained BERT that the network starts from: an installed package or a name of the hub (`--bert`
            takes its place); None starts from random weights.
        psi: peak count of the shot noise that corrupts all parts; None leaves them clean.
        augmentation: of each training batch, see `bench.training.augmentation`.
        test_noise: half widths of uniform noise, on the scale of pixels in [0, 1], under which the trained
            network is also tested; of inputs in `range` or `unit_range`.
        objective: `classification`, that of sentences with the metrics usual for them, `reconstruction` of the inputs,
            or the `next_character` at each place of a text.
        model_arguments: of `models.build`: `width`, `depth`, `stem`, `dropout`, ...
        activation_arguments: of `activations.build`.
        equal: what stays when an activation takes several inputs for each output: `parameters`, their number, or
            `width`, that of the hidden layers (see `models.build`).
        patience: epochs without a better validation loss before a run stops, its best weights restored;
            None trains all epochs and keeps the last weights.
        target_accuracy: validation accuracy whose first reaching is timed.
        keep_functions: whether the record keeps what each site computes, epoch by epoch.
        hidden_zeros: whether the record has the share of exact zeros in what hidden layers put out on the test part.
        threads: of the CPU; None leaves torch's own choice.
        precision: of the forward pass: `float32`, or `bfloat16` autocast (on CUDA only).
        memory_format: `contiguous`, or `channels_last` (on CUDA only).
        seeds: runs a session makes unless told otherwise.
        recorded_seeds: runs that a recorded baseline is made of.
        aggregate: how the values of the seeds become one.
        metric: what is judged and ranked by, by its name in records, see `bench.cases.metric`; one of the training
            part, as `train_loss`, where a network is to memorise.
    """

    version: int
    epochs: int
    batch_size: int
    learning_rate: float
    initialisation: str
    schedule: Schedule = "constant"
    momentum: float = 0.0
    weight_decay: float = 0.0
    decay_biases: bool = True
    train_size: int | None = None
    validation_size: int | None = 0
    test_size: int | None = None
    encoder: str | None = None
    preprocessing: Preprocessing = "range"
    psi: int | None = None
    augmentation: Augmentation = "none"
    test_noise: tuple[float, ...] = ()
    objective: ObjectiveName = "classification"
    model_arguments: Mapping[str, Any] = field(default_factory=dict)
    activation_arguments: Mapping[str, Any] = field(default_factory=dict)
    equal: Equal = "parameters"
    patience: int | None = None
    target_accuracy: float | None = None
    keep_functions: bool = False
    hidden_zeros: bool = False
    threads: int | None = None
    precision: Precision = "float32"
    memory_format: MemoryFormat = "contiguous"
    seeds: int = 3
    recorded_seeds: int = 20
    aggregate: Aggregate = "mean"
    metric: str = "test_accuracy"

    def __post_init__(self) -> None:
        for name in ("version", "epochs", "batch_size", "seeds", "recorded_seeds", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"recipe: {name} must be positive, not {getattr(self, name)}")
        for name in ("train_size", "test_size", "psi"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"recipe: {name} must be positive or None, not {getattr(self, name)}")
        if self.validation_size is not None and self.validation_size < 0:
            raise ValueError(f"recipe: validation_size must not be negative, it is {self.validation_size}")
        for name, kind in _WORDS.items():
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"recipe: {name} {getattr(self, name)!r}; known: {', '.join(get_args(kind))}")
        if self.test_noise and self.preprocessing not in CONTRAST:
            raise ValueError(
                f"recipe: test_noise is on the scale of pixels: it needs the preprocessing {' or '.join(CONTRAST)}, "
                f"not {self.preprocessing}"
            )
        if self.augmentation == "flip_rotate" and self.preprocessing != "range":
            raise ValueError(
                f"recipe: flip_rotate turns in black from outside: it needs the preprocessing range, not "
                f"{self.preprocessing}"
            )
        try:
            Measured.parse(self.metric)
        except ValueError as error:
            raise ValueError(f"recipe: {error}") from None
        if self.patience is not None and self.validation_size == 0:
            raise ValueError("recipe: patience needs a validation_size above 0")

    def on(self, device_type: str) -> Recipe:
        """As it takes effect on a device: autocast and channels_last gain on CUDA only.

        bfloat16 autocast was ten times slower than float32 on an AVX2 CPU.
        """
        if device_type == "cuda":
            return self
        return replace(self, precision="float32", memory_format="contiguous")

    @property
    def judged_part(self) -> str:
        """The part that the judged metric is of, and on which a run counts as trained: `train` or `test`."""
        return "train" if Measured.parse(self.metric).part == "train" else "test"

    def steps(self, rows: int) -> int:
        """Of the optimizer, at most, when so many rows are trained on."""
        return self.epochs * math.ceil(rows / self.batch_size)

    @property
    def fields(self) -> dict[str, Any]:
        """Names and values, as they are written into every record."""
        return asdict(self)
