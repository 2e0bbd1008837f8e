"""Kernel timing: what an activation costs forward and backward, in multiples of relu and of a copy.

    pytest bench/timing/test_kernels.py -n0 -k "silu and bfloat16"
    pytest bench/timing/test_kernels.py -n0 --record
    pytest bench/timing/test_kernels.py -n0 --peers -k "mish and implementations"

Ratios are measured interleaved in one process and judged against the baseline folder's
`measured/kernels.<device class>.csv`; absolute times are shown and never asserted. Importing this package does
not load torch.
"""

from bench.timing.kernels._comparison_table import comparison_table
from bench.timing.kernels._correctness import Count, Judged, count, count_table, judged, own_mistakes
from bench.timing.kernels._goals import KEPT, goals
from bench.timing.kernels._implementations import Compared, Comparison, compare, comparisons
from bench.timing.kernels._kernel import ACTIVATIONS, Kernel, catalogue
from bench.timing.kernels._measurement import Measurement, measure, prepare, steady
from bench.timing.kernels._peers import PEERS, Peer
from bench.timing.kernels._rows import Row, key, read, record, write
from bench.timing.kernels._table import table
from bench.timing.kernels._verdict import Verdict, check, judge

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
