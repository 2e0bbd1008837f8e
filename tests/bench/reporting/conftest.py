"""The page that the tests of the report look at, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.records import baseline
from bench.reporting.page import html, sources
from made_page import folder


@pytest.fixture(scope="session")
def session_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a session that failed."""
    made = folder(tmp_path_factory.mktemp("results"))
    return html.write(sources.merged([made], baseline.FOLDER), tmp_path_factory.mktemp("page"))
