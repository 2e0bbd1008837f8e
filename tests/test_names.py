"""One name, one meaning: no two public classes or functions of activations, models and bench are called the same.

A name that several modules share on purpose is a protocol: the same thing done for another kind, always called by the
module's name. `PROTOCOLS` lists them, each with its reason; a class is never one.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import bench

ROOT = Path(bench.__file__).parents[1]
PACKAGES = ("activations", "models", "bench")

# Functions that modules of the same kind share: which modules, what they are called, and why.
PROTOCOLS = (
    (r".*/__main__", r"main", "the door of a package's command line"),
    (r"bench/experiments/test_.*", r"recipe|runs_at", "what an experiment's file declares"),
    (r"bench/reporting/views/.*", r"tables|figure", "what a view is made of"),
    (r"(activations/_registry|models/_registry|bench/.*)", r"info|names|find|register", "the face of a registry"),
    (r"(activations|models|bench)/.*", r"build|load", "makes the one thing that a module is about, of a name"),
    (r"bench/.*", r"read|stamp", "what a data set or a file of a folder is read by, and what tells that it changed"),
    (
        r"bench/(records|timing|reporting|data)/.*",
        r"write|render|latest",
        "of the one kind of file that a module keeps",
    ),
)


def definitions(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """The public names that a module defines, and whether each is a class."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node.name, isinstance(node, ast.ClassDef)


def is_protocol(module: str, name: str) -> bool:
    """Whether a function is one that modules of its kind share."""
    return any(re.fullmatch(where, module) and re.fullmatch(names, name) for where, names, _ in PROTOCOLS)


def shared_names(root: Path) -> Mapping[str, list[str]]:
    """Names that mean more than one thing, with the modules that define them."""
    found = defaultdict(list)
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            module = path.relative_to(root).with_suffix("").as_posix()
            for name, is_class in definitions(ast.parse(path.read_text(encoding="utf-8"))):
                if is_class or not is_protocol(module, name):
                    found[name].append(module)
    return {name: modules for name, modules in found.items() if len(modules) > 1}


def test_no_two_public_classes_or_functions_share_a_name():
    found = [f"{name}: {', '.join(modules)}" for name, modules in shared_names(ROOT).items()]
    assert not found, "\n".join(["names of several things:", *found])


@pytest.mark.parametrize("package", PACKAGES)
def test_a_second_meaning_of_a_name_is_found_wherever_it_stands(tmp_path, package):
    for folder, text in ((package, "class Runs: ...\ndef read(): ...\n"), ("bench/records", "class Runs: ...\n")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "made.py").write_text(text)
    assert shared_names(tmp_path) == {"Runs": [f"{package}/made", "bench/records/made"]}


def test_a_protocol_is_one_of_functions_only(tmp_path):
    (tmp_path / "bench" / "records").mkdir(parents=True)
    for name in ("one", "other"):
        (tmp_path / "bench" / "records" / f"{name}.py").write_text("class read: ...\n")
    assert list(shared_names(tmp_path)) == ["read"]


@pytest.mark.parametrize(("where", "names", "why"), PROTOCOLS, ids=lambda value: str(value)[:20])
def test_no_protocol_is_kept_for_nothing(where, names, why):
    used = {
        name
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if re.fullmatch(where, path.relative_to(ROOT).with_suffix("").as_posix())
        for name, _ in definitions(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert set(names.split("|")) <= used
    assert why
