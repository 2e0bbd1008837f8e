"""The items of bench/checks/test_contract.py: passes, reasons and failures of each check are shown."""

from __future__ import annotations

import sys

import pytest

import activations


def test_the_items_show_passes_reasons_and_failures_of_each_check(
    micro: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    micro.makepyfile(test_contract="from bench.checks.test_contract import quiet, test_contract")
    micro.makepyfile(mine="import torch\n\ndef other_dtype(x):\n    return torch.relu(x).float()\n")
    others = len(activations.names())
    # What is added must be registered before the module of the items is imported, and forgotten with it afterwards.
    monkeypatch.setitem(sys.modules, "bench.checks.test_contract", sys)
    monkeypatch.delitem(sys.modules, "bench.checks.test_contract")
    result = micro.runpytest_inprocess(
        *("--activation", "mine.py:other_dtype", "-k", "contract and other_dtype", "-v", "-rs", "test_contract.py")
    )
    shown = result.stdout.str()
    assert "other_dtype: dtype_is_kept does not hold: the output of float64 is torch.float32" in shown
    assert "float64_values_are_exact: no formula: float64 is what the other dtypes are compared with" in shown
    assert "Traceback" not in shown
    assert "torch.__trace" not in shown
    assert result.parseoutcomes()["deselected"] == others
