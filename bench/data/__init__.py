"""Where bytes come from: `data.load("cifar10", data_dir=None)` and `data.prepare(...)`.

Embedded (scikit-learn's digits), from the Hugging Face hub, or from `--data-dir` in the hub's layout. Decoded
once into the user's cache folder, then held on the device as float32 tensors in [-1, 1].
"""

from bench.data._registry import DATASETS, DatasetInfo, info
from bench.data.errors import DataError

__all__ = ["DATASETS", "DataError", "DatasetInfo", "info"]
