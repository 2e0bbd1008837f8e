"""The phones of TIMIT and the 39 classes that they are folded to: `LABELS["ix"]` is that of `ih`.

Lee and Hon 1989, "Speaker-independent phone recognition using hidden Markov models", IEEE ASSP 37(11): closures and
pauses become silence, syllabic consonants and allophones what they are variants of. The glottal stop `q` has no class.
"""

from __future__ import annotations

_ALONE = "ae aw ay b ch d dh dx eh ey f g iy jh k ow oy p r s t th uh v w y z"
# A class, and the phones that are folded to it.
_FOLDED = {
    "aa": "aa ao",
    "ah": "ah ax ax-h",
    "er": "er axr",
    "hh": "hh hv",
    "ih": "ih ix",
    "l": "l el",
    "m": "m em",
    "n": "n en nx",
    "ng": "ng eng",
    "sh": "sh zh",
    "sil": "pcl tcl kcl bcl dcl gcl h# pau epi",
    "uw": "uw ux",
}

CLASSES = tuple(sorted([*_ALONE.split(), *_FOLDED]))
# Of the frames of q, which are neither trained nor tested on.
LEFT_OUT = -1
LABELS = {
    **{phone: CLASSES.index(phone) for phone in _ALONE.split()},
    **{phone: CLASSES.index(name) for name, phones in _FOLDED.items() for phone in phones.split()},
    "q": LEFT_OUT,
}
