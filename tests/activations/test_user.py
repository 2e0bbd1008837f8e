"""Tests of activations.load: a user's own activation from a file of theirs, and what it says when that fails."""

from __future__ import annotations

import copy
import os
import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

import activations
from activations import _user

pytestmark = pytest.mark.usefixtures("scratch_registry")

Write = Callable[[str], Path]

MINE = """
    import torch

    def Half_Wave(x):
        return torch.clamp(x, min=0) / 2

    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.tensor(3.0))

        def forward(self, x):
            return self.scale * x

    class Needy(torch.nn.Module):
        def __init__(self, size):
            super().__init__()

    CONSTANT = 3
    _hidden = Half_Wave
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "mine.py"
        path.write_text(textwrap.dedent(text))
        return path

    return write


def test_a_function_becomes_an_activation(write: Write) -> None:
    record = activations.load(f"{write(MINE)}:Half_Wave")
    assert record.name == "half_wave"  # case ids are lower case
    assert record.label == "Half_Wave"
    assert record.family == "user"
    assert "mine.py" in record.source
    assert record.name not in activations.names()
    activations.register(record)
    module = activations.build("half_wave", shape=(6, 28, 28))
    assert isinstance(module, nn.Module)
    assert torch.equal(module(torch.tensor([-2.0, 2.0])), torch.tensor([0.0, 1.0]))
    assert "Half_Wave" in repr(module)
    assert copy.deepcopy(module)(torch.tensor(2.0)) == 1


def test_a_class_is_built_anew_for_every_site(write: Write) -> None:
    activations.register(activations.load(f"{write(MINE)}:Scaled"))
    one, other = (activations.build("scaled", shape=(6, 28, 28)) for _ in range(2))
    assert one(torch.tensor(2.0)).item() == 6
    (mine,), (theirs,) = one.parameters(), other.parameters()
    assert mine is not theirs


def test_a_path_below_the_home_folder_is_found(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(write(MINE).parent))
    assert activations.load("~/mine.py:Scaled").name == "scaled"


def test_a_file_may_hold_a_dataclass_with_postponed_annotations(write: Write) -> None:
    """dataclasses looks its own module up in sys.modules."""
    path = write("""
        from __future__ import annotations
        from dataclasses import dataclass

        @dataclass
        class Setting:
            slope: float = 0.5

        def mine(x):
            return x * Setting().slope
    """)
    assert activations.load(f"{path}:mine").factory()(torch.tensor(2.0)) == 1


@pytest.mark.parametrize("reference", ["nowhere/mine.py:act", "mine.py", "act", ""])
def test_a_missing_file_is_named_with_how_to_write_it(
    reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"write it as path/to/file\.py:name") as caught:
        activations.load(reference)
    assert f"activation {reference!r}: there is no file" in str(caught.value)


def test_a_folder_or_another_kind_of_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no file"):
        activations.load(f"{tmp_path}:act")
    text = tmp_path / "mine.txt"
    text.write_text("def act(x): return x")
    with pytest.raises(ValueError, match=r"mine\.txt' is not a Python file"):
        activations.load(f"{text}:act")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import no_such_package_anywhere", "no_such_package_anywhere"),
        ("def mine(x) return x", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError: division by zero, line 1"),
        ("import sys\nsys.exit(0)", "SystemExit: 0, line 2"),
    ],
)
def test_a_file_that_does_not_import_is_named_with_its_error(write: Write, text: str, what: str) -> None:
    path = write(text)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))} does not import: .*{what}") as caught:
        activations.load(f"{path}:mine")
    assert isinstance(caught.value.__cause__, BaseException)


def test_a_file_may_import_what_lies_beside_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = write("from lies_beside import slope\ndef mine(x): return slope * x")
    (path.parent / "lies_beside.py").write_text("slope = 3")
    assert activations.load(f"{path}:mine").factory()(torch.tensor(2.0)) == 6


@pytest.mark.parametrize("name", ["half_wave", "CONSTANT", ""])
def test_a_missing_name_lists_what_the_file_has(write: Write, name: str) -> None:
    path = write(MINE)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))} defines no function or class '{name}'") as caught:
        activations.load(f"{path}:{name}")
    assert str(caught.value).endswith("it has: Half_Wave, Scaled, Needy")


def test_a_class_that_needs_arguments_is_named_when_built(write: Write) -> None:
    activations.register(activations.load(f"{write(MINE)}:Needy"))
    with pytest.raises(ValueError, match=r"mine.py:Needy' is a class that cannot be built without arguments: .*size"):
        activations.build("needy")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('no')", "is a class that cannot be built: RuntimeError: no, line 3"),
        ("pass", "is a class whose instances cannot be called; make it an nn.Module"),
    ],
)
def test_a_class_that_makes_no_activation_is_named_when_built(write: Write, text: str, said: str) -> None:
    path = write("class Mine:\n  def __init__(self):\n    " + text)
    activations.register(activations.load(f"{path}:Mine"))
    with pytest.raises(ValueError, match=re.escape(f"mine.py:Mine' {said}")):
        activations.build("mine")


def test_a_module_is_copied_for_every_site(write: Write) -> None:
    path = write("import torch\nmine = torch.nn.PReLU()")
    activations.register(activations.load(f"{path}:mine"))
    one, other = (activations.build("mine") for _ in range(2))
    assert one(-torch.ones(1)).item() == other(-torch.ones(1)).item() == -0.25
    (weight,), (others) = one.parameters(), other.parameters()
    assert all(weight is not theirs for theirs in others)


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("def mine(x):\n  return x.nothing", "AttributeError: 'Tensor' object has no attribute 'nothing', line 2"),
        (
            "def mine(x, slope):\n  return slope * x",
            "TypeError: mine() missing 1 required positional argument: 'slope'",
        ),
        ("def mine(x):\n  return open('/no/such/table')", "FileNotFoundError: [Errno 2]"),
    ],
)
def test_an_error_inside_is_named_with_its_line_and_the_input(write: Write, definition: str, said: str) -> None:
    activations.register(activations.load(f"{write(definition)}:mine"))
    with pytest.raises(
        ValueError, match=r"mine.py:mine' fails for an input of shape \(2,\) and torch.float32: " + re.escape(said)
    ):
        activations.build("mine")(torch.ones(2))


@pytest.mark.parametrize(
    ("body", "got"), [("x.sum()", r"shape \(\)"), ("x[:1]", r"shape \(1,\)"), ("None", "NoneType")]
)
def test_a_result_of_another_shape_is_named_at_the_first_call(write: Write, body: str, got: str) -> None:
    reference = f"{write(f'def mine(x): return {body}')}:mine"
    activations.register(activations.load(reference))
    with pytest.raises(ValueError, match=rf"returned {got} for an input of shape \(2,\)") as caught:
        activations.build("mine")(torch.ones(2))
    assert reference in str(caught.value)


@pytest.mark.parametrize("body", ["x.relu().half()", "x > 0", "x.relu().double()"])
def test_a_result_of_another_dtype_is_named_before_a_layer_chokes_on_it(write: Write, body: str) -> None:
    reference = f"{write(f'def mine(x): return {body}')}:mine"
    activations.register(activations.load(reference))
    with pytest.raises(
        ValueError, match=r"returned torch\.\w+ for an input of torch.float32, .*`.to\(x.dtype\)`"
    ) as caught:
        activations.build("mine")(torch.ones(2))
    assert reference in str(caught.value)


def test_under_autocast_a_result_may_be_wider_than_its_input(write: Write) -> None:
    activations.register(activations.load(f"{write('def mine(x): return x.float().exp()')}:mine"))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert activations.build("mine")(torch.ones(2, dtype=torch.bfloat16)).dtype == torch.float32


@pytest.mark.parametrize("name", ["relu", "SWISH"])
def test_a_name_that_is_taken_cannot_be_registered(write: Write, name: str) -> None:
    record = activations.load(f"{write(f'def {name}(x): return x')}:{name}")
    with pytest.raises(ValueError, match=f"cannot register activation '{name.lower()}': .* taken; choose another"):
        activations.register(record)
    assert activations.info(name.lower()).family != "user"


def test_the_same_reference_can_be_registered_again(write: Write) -> None:
    """Two sessions in one process, or `--activation` given twice."""
    reference = f"{write(MINE)}:Half_Wave"
    activations.register(activations.load(reference))
    activations.register(activations.load(reference))
    assert activations.names(family="user") == ["half_wave"]


def test_a_file_that_is_edited_within_a_second_is_read_anew_and_so_is_what_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for slope in ("1.0", "2.0"):
        for name in ("mine", "helper_of_mine"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / "helper_of_mine.py").write_text(f"slope = {slope}\n")
        (tmp_path / "mine.py").write_text(
            f"import helper_of_mine\n\nown = {slope}\n\n\ndef mine(x):\n    return own * helper_of_mine.slope * x\n"
        )
        for file in tmp_path.glob("*.py"):
            os.utime(file, (1e9, 1e9))
        module = _user.import_file(tmp_path / "mine.py")
        assert module.mine(1.0) == float(slope) ** 2
