"""The catalogue: one record an activation, by families; a new activation is one entry here and its torch code."""

from activations._catalogue.exponentials import EXPONENTIALS
from activations._catalogue.gated_linear import GATED_LINEAR
from activations._catalogue.learned import LEARNED
from activations._catalogue.oscillating import OSCILLATING
from activations._catalogue.rectifiers import RECTIFIERS
from activations._catalogue.self_gated import SELF_GATED
from activations._catalogue.sigmoids import SIGMOIDS
from activations._catalogue.sugar import SUGAR

ENTRIES = (
    *RECTIFIERS,
    *EXPONENTIALS,
    *SIGMOIDS,
    *SELF_GATED,
    *SUGAR,
    *OSCILLATING,
    *LEARNED,
    *GATED_LINEAR,
)
