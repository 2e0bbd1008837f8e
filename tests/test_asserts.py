"""Nothing is checked by an assert statement, which `python -O` leaves out, but what mypy alone needs to be told."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    path
    for package in ("activations", "models", "bench")
    for path in (ROOT / package).rglob("*.py")
    if not path.name.startswith("test_")  # whose asserts pytest rewrites
]
NAIVE = """
import torch


def softplus_naive(x):
    return torch.log(1 + torch.exp(x))
"""
HOLD = """
import activations
from activations import contract

activations.register(activations.load("mine.py:softplus_naive"))
contract.hold("gradients_are_finite", activations.info("softplus_naive"))
"""


def says_what_mypy_needs(node: ast.Assert) -> bool:
    """Whether it is `assert something is not None`."""
    return isinstance(node.test, ast.Compare) and isinstance(node.test.ops[0], ast.IsNot)


def test_no_assert_statement_guards_anything():
    guards = [
        f"{path}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert) and not says_what_mypy_needs(node)
    ]
    assert not guards, "\n".join(guards)


@pytest.mark.slow
@pytest.mark.fresh_process
def test_the_contract_fails_what_is_wrong_without_assert_statements_too(tmp_path):
    (tmp_path / "mine.py").write_text(NAIVE)
    found = subprocess.run([sys.executable, "-O", "-c", HOLD], cwd=tmp_path, capture_output=True, text=True)
    assert found.returncode == 1
    assert "gradients_are_finite does not hold: the gradient in float64 is NaN" in found.stderr
