"""The part-of-speech tagger of the GELU paper: `models.build("tagger", input_shape=(3, 16), vocab_size=5000, ...)`."""

from __future__ import annotations

from torch import Tensor, nn

from models.mlp import MLP
from models.slot import Slot

# Standard deviation of a word's vector before training: small, so that it soon is what was learned and not what was
# drawn. Out of 1, 0.3, 0.1 and 0.03, by the validation error on CMU's tweets at all rates of the paper.
INITIAL_STD = 0.1


def tagger(
    input_shape: tuple[int, ...],
    num_classes: int,
    slot: Slot,
    *,
    vocab_size: int | None = None,
    embedding_dim: int = 50,
    width: int = 256,
    depth: int = 2,
    dropout: float = 0.2,
) -> nn.Module:
    """A fully connected network on the concatenated vectors of a word and its neighbours.

    Hendrycks and Gimpel 2016, arXiv 1606.08415, section 3.3: 2 layers of 256, keeping 0.8 of the units, on pretrained
    word vectors; of 50 dimensions in the authors' code.

    Args:
        input_shape: `(words, features)` of ids, or `(words, dimensions)` of vectors.
        num_classes: width of the output.
        slot: what makes the activations.
        vocab_size: number of ids, 0 for padding among them; None where the inputs are vectors already.
        embedding_dim: of the vectors that are learned for ids.
        width: units of a hidden layer.
        depth: hidden layers.
        dropout: share of the units dropped behind each activation.

    Shape:
        Input `(N, words, features)` int64, or `(N, words, dimensions)` float32; output `(N, num_classes)`.
    """
    if vocab_size is None:
        return MLP(input_shape, num_classes, slot, width=width, depth=depth, dropout=dropout)
    words, features = input_shape
    vectors = FeatureVectors(vocab_size, embedding_dim, features)  # first: it draws the same for every activation
    return nn.Sequential(
        vectors, MLP((words, embedding_dim), num_classes, slot, width=width, depth=depth, dropout=dropout)
    )


class FeatureVectors(nn.EmbeddingBag):
    """Learns the vector of a word as the sum of its features' vectors, as fastText's is that of its n-grams'.

    Bojanowski et al. 2016, arXiv 1607.04606. A word keeps the length of a pretrained vector, however many features it
    has, and its vector is the same in the middle as beside another. Id 0 adds nothing.

    Shape:
        Input `(N, words, features)` int64; output `(N, words, embedding_dim)`.
    """

    def __init__(self, vocab_size: int, embedding_dim: int, features: int) -> None:
        self.features = features
        super().__init__(vocab_size, embedding_dim, mode="sum", padding_idx=0)

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=INITIAL_STD * self.features**-0.5)
        self._fill_padding_idx_with_zero()

    def forward(self, ids: Tensor) -> Tensor:  # type: ignore[override]
        vectors: Tensor = super().forward(ids.flatten(0, 1))
        return vectors.view(*ids.shape[:2], -1)
