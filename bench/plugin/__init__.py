"""The pytest plugin: options, exact selection, cases, verdicts and rankings. `pytest -p bench.plugin`."""

pytest_plugins = ["bench.plugin.hooks"]
