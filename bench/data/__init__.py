"""Where bytes come from: `store.load("cifar10", Locations(...))` and `parts.prepare(...)`.

Embedded (scikit-learn's digits, made speech), from the Hugging Face hub, or from `--data-dir` in the hub's layout or
torchvision's (Fashion-MNIST also as the IDX files of Debian's package); TIMIT is the user's own copy. Decoded once into
the user's cache folder, then corrupted, preprocessed and resized as the recipe says and held on the device as tensors.
"""

from bench.data._registry import DATASETS, DatasetInfo, info, label_of, register
from bench.data.errors import DataError

__all__ = ["DATASETS", "DataError", "DatasetInfo", "info", "label_of", "register"]
