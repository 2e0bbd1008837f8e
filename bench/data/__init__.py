"""Where bytes come from: `data.load("cifar10", data_dir=None)` and `data.prepare(...)`.

Embedded (scikit-learn's digits), from the Hugging Face hub, or from `--data-dir` in the hub's layout (Fashion-MNIST
also as the IDX files of Debian's package). Decoded once into the user's cache folder, then corrupted, preprocessed and
resized as the recipe says and held on the device as float32 tensors.
"""

from bench.data._registry import DATASETS, DatasetInfo, info
from bench.data.errors import DataError

__all__ = ["DATASETS", "DataError", "DatasetInfo", "info"]
