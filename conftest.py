"""Loads the plugin, which adds the options, the cases and the rankings; see `pytest bench --help`."""

pytest_plugins = ["bench.plugin"]
