"""What a session has written, as tests read it: `records_in(micro.path / "results")`."""

from __future__ import annotations

import json
from pathlib import Path


def records_in(results_dir: Path) -> list[dict]:
    """The records of all runs, as JSON has them, in order of their files; what a kill left of a file is none."""
    return [json.loads(path.read_text()) for path in sorted((results_dir / "runs").glob("*.json"))]
