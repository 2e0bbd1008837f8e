"""The catalogue: one record an activation, by families; a new activation is one entry here and its torch code."""

from activations._catalogue import (
    exponentials,
    gated_linear,
    learned,
    oscillating,
    rectifiers,
    self_gated,
    sigmoids,
)

ENTRIES = (
    *rectifiers.ENTRIES,
    *exponentials.ENTRIES,
    *sigmoids.ENTRIES,
    *self_gated.ENTRIES,
    *oscillating.ENTRIES,
    *learned.ENTRIES,
    *gated_linear.ENTRIES,
)
