"""Claims: what the documents conclude, judged by the cases at hand. `python -m bench claims`.

One entry of `CLAIMS` a claim; a judge is a function from cases of one scale, device and data to a
`Conclusion`, and knows nothing of files. Nothing here loads torch.
"""

from bench.reporting.claims._judgement import Conclusion
from bench.reporting.claims._registry import CLAIMS, Claim
from bench.reporting.claims._table import (
    LEGEND,
    JudgedClaim,
    at_largest_scale,
    claims_table,
    claims_text,
    judged_claims,
)

__all__ = [
    "CLAIMS",
    "LEGEND",
    "Claim",
    "Conclusion",
    "JudgedClaim",
    "at_largest_scale",
    "claims_table",
    "claims_text",
    "judged_claims",
]
