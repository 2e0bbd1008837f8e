"""Kernel timing: what an activation costs forward and backward, in multiples of relu and of a copy.

    pytest bench/test_kernels.py -n0 -k "silu and bfloat16"
    pytest bench/test_kernels.py -n0 --record

Ratios are measured interleaved in one process and judged against the baseline folder's
`measured/kernels.<device class>.csv`; absolute times are shown and never asserted. Importing this package does
not load torch.
"""

from bench.kernels._kernel import Kernel, catalogue
from bench.kernels._measurement import Measurement, measure, prepare, steady
from bench.kernels._rows import Row, key, read, record, write
from bench.kernels._table import table
from bench.kernels._verdict import Verdict, check, judge

__all__ = [
    "Kernel",
    "Measurement",
    "Row",
    "Verdict",
    "catalogue",
    "check",
    "judge",
    "key",
    "measure",
    "prepare",
    "read",
    "record",
    "steady",
    "table",
    "write",
]
