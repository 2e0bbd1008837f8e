"""What pip installs into pytest: it loads the plugin for sessions that name `bench`, as `pytest --pyargs bench` does.

Everybody's sessions import this module where actbench is installed, so it imports nothing of ours and adds no option.
It is installed beside the packages: through `bench` it would be found in whatever folder of that name a user has.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent / "bench"  # of a checkout it is not, and there conftest.py loads the plugin


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Load the plugin, once: pytest passes over what a conftest or `-p bench.plugin` has loaded already."""
    known, here = early_config.known_args_namespace, early_config.invocation_params.dir
    if any(_is_ours(argument, here, by_name=known.pyargs) for argument in known.file_or_dir or [str(here)]):
        early_config.pluginmanager.import_plugin("bench.plugin")


def _is_ours(argument: str, here: Path, *, by_name: bool) -> bool:
    """Whether an argument of a command line is the package, or something inside it."""
    path = argument.partition("::")[0]
    package = path.partition(".")[0]
    if by_name and package == PACKAGE.name:
        spec = importlib.util.find_spec(package)  # found, not imported: somebody else's may have this name
        return spec is not None and spec.origin is not None and Path(spec.origin).resolve().parent == PACKAGE
    return (here / path).resolve().is_relative_to(PACKAGE)
