"""Claims: what the documents conclude, judged by the observations at hand. `python -m bench claims`.

One entry of `CLAIMS` a claim; a judge is a function from observations of one scale, device and data to a
`Judgement`, and knows nothing of files. Nothing here loads torch.
"""

from bench.reporting.claims._judgement import Judgement
from bench.reporting.claims._registry import CLAIMS, Claim
from bench.reporting.claims._table import LEGEND, Row, judged, table

__all__ = ["CLAIMS", "LEGEND", "Claim", "Judgement", "Row", "judged", "table"]
