"""Says what is missing where pytest collects this package without its plugin."""

from __future__ import annotations

import pytest


def pytest_collect_file(parent: pytest.Collector) -> None:
    if not parent.config.pluginmanager.has_plugin("bench.plugin"):
        raise parent.CollectError(
            "bench is collected without its plugin, which makes the cases: run pytest bench in a checkout, "
            "pytest --pyargs bench where it is installed, or give -p bench.plugin"
        )
