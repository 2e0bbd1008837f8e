"""The way of data: a room of bench imports only from rooms before it, and no module imports itself on a detour."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import bench

ROOT = Path(bench.__file__).parents[1]
PACKAGES = ("activations", "models", "bench")


def modules_of(package: str, root: Path = ROOT) -> dict[str, Path]:
    """The files of a package by their dotted names; `__main__` modules are doors, from which every room is seen."""
    files = [path for path in (root / package).rglob("*.py") if path.name != "__main__.py"]
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imports_of(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    """The modules of its own package that a file names in an import, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else node.module for name in named)


def arrows(package: str, root: Path = ROOT) -> dict[str, set[str]]:
    """What each module imports of its package, itself left out."""
    modules = modules_of(package, root)
    return {name: set(imports_of(path, modules)) - {name} for name, path in modules.items()}


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of one circle of imports; none where there is no circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def arrows_back(graph: Mapping[str, set[str]]) -> list[str]:
    """The imports that go from a room of bench to one behind it."""
    place = {room: number for number, room in enumerate(bench.ROOMS)}
    pairs = [(one, other) for one, others in sorted(graph.items()) for other in sorted(others) if one.count(".")]
    return [f"{one} -> {other}" for one, other in pairs if place[one.split(".")[1]] < place[other.split(".")[1]]]


def test_bench_holds_rooms_and_doors_alone():
    entries = {path.name for path in (ROOT / "bench").iterdir() if path.name != "__pycache__"}
    assert entries == {*bench.ROOMS, "__init__.py", "__main__.py", "conftest.py", "README.md"}


def test_every_room_says_in_a_line_what_it_is():
    for room in bench.ROOMS:
        docstring = ast.get_docstring(ast.parse((ROOT / "bench" / room / "__init__.py").read_text(encoding="utf-8")))
        assert docstring, room
        assert docstring.splitlines()[0].endswith((".", "?")), room


def test_a_room_imports_only_from_rooms_before_it():
    assert arrows_back(arrows("bench")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_on_a_detour(package: str):
    assert circle(arrows(package)) == []


def test_activations_import_nothing_of_the_project_and_models_only_activations():
    def foreign(package: str, *others: str) -> list[str]:
        known = {name: path for other in others for name, path in modules_of(other).items()}
        return [f"{name} -> {found}" for name, path in modules_of(package).items() for found in imports_of(path, known)]

    assert foreign("activations", "models", "bench") == []
    assert foreign("models", "bench") == []


def test_an_arrow_back_and_a_circle_that_are_planted_are_found(tmp_path: Path):
    def plant(name: str, text: str) -> None:
        path = tmp_path / "bench" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    for room in ("cases", "training", "plugin"):
        plant(f"{room}/__init__.py", "")
    plant("cases/case.py", "def train():\n    from bench.training import loop\n")
    plant("training/loop.py", "from bench.cases.case import train\n")
    plant("plugin/hooks.py", "from bench.training import loop\n")
    graph = arrows("bench", tmp_path)
    assert arrows_back(graph) == ["bench.cases.case -> bench.training.loop"]
    assert {"bench.cases.case", "bench.training.loop"} <= set(circle(graph))


def test_the_readme_lists_the_rooms_in_the_way_of_data():
    readme = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^([a-z]+)/ ", readme, re.MULTILINE)) == bench.ROOMS
