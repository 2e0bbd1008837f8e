"""Kernel timing: what an activation costs forward and backward, in multiples of relu and of a copy.

    pytest bench/test_kernels.py -n0 -k "silu and bfloat16"
    pytest bench/test_kernels.py -n0 --record
    pytest bench/test_kernels.py -n0 --peers -k "mish and implementations"

Ratios are measured interleaved in one process and judged against the baseline folder's
`measured/kernels.<device class>.csv`; absolute times are shown and never asserted. Importing this package does
not load torch.
"""

from bench.kernels._comparison_table import comparison_table
from bench.kernels._correctness import Count, Judged, count, count_table, judged, own_mistakes
from bench.kernels._goals import KEPT, goals
from bench.kernels._implementations import Compared, Comparison, compare, comparisons
from bench.kernels._kernel import ACTIVATIONS, Kernel, catalogue
from bench.kernels._measurement import Measurement, measure, prepare, steady
from bench.kernels._peers import PEERS, Peer
from bench.kernels._rows import Row, key, read, record, write
from bench.kernels._table import table
from bench.kernels._verdict import Verdict, check, judge

__all__ = [
    "ACTIVATIONS",
    "KEPT",
    "PEERS",
    "Compared",
    "Comparison",
    "Count",
    "Judged",
    "Kernel",
    "Measurement",
    "Peer",
    "Row",
    "Verdict",
    "catalogue",
    "check",
    "compare",
    "comparison_table",
    "comparisons",
    "count",
    "count_table",
    "goals",
    "judge",
    "judged",
    "key",
    "measure",
    "own_mistakes",
    "prepare",
    "read",
    "record",
    "steady",
    "table",
    "write",
]
