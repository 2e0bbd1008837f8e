"""The peers: who has which function, how fast and how right they are, and what is collected of all that."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import activations
from activations.contract.accuracy import Errors
from bench.timing.peers import comparison
from bench.timing.peers.comparison import PeerCase, PeerTimes, time_peers, times_table
from bench.timing.peers.correctness import PeerCheck, PeerErrors, count_errors, errors_table, own_mistakes
from bench.timing.peers.counterparts import PEERS

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def installed(monkeypatch):
    """Lets a test say which packages are there; nothing is compiled, and rounds are few and short."""
    monkeypatch.setattr("activations.fused._unavailable", True)
    monkeypatch.setattr(comparison, "BUDGET_SECONDS", 0.01)

    def only(*packages):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in packages else None)

    return only


def timed(activation, mode):
    return time_peers(PeerCase(activation, mode), CPU, elements=2**14)


def times(activation="serf", mode="forward_backward", kept=1.0, failed=(), **seconds):
    seconds = {"fused": 1.0, "eager": 5.0, "copy": 0.5, "relu": 1.0} | seconds
    return PeerTimes(
        case=PeerCase(activation, mode),
        machine="a machine",
        seconds={name.replace("_", "-"): [value] * 5 for name, value in seconds.items()},
        kept=dict.fromkeys([name.replace("_", "-") for name in seconds], 1.0) | {"fused": kept},
        floor=1.5,
        failed=dict(failed),
    )


@pytest.mark.parametrize("peer", PEERS.values(), ids=lambda peer: peer.name)
def test_a_peer_has_counterparts_of_registered_activations_only(peer):
    assert peer.counterparts.keys() <= set(activations.names())


@pytest.mark.parametrize("peer", PEERS.values(), ids=lambda peer: peer.name)
def test_every_counterpart_can_be_built_and_called(peer):
    if not peer.installed:
        pytest.skip(f"{peer.name} is not installed; pip install 'actbench[peers]'")
    for name in peer.counterparts:
        entry = activations.info(name)
        module = peer.build(name, {**entry.defaults, **entry.parameters}).eval()
        assert module(torch.randn(4, 6)).shape == (4, 6 // entry.in_features_multiplier)


def test_every_native_module_of_the_registry_is_a_counterpart_of_torchs():
    native = [name for name in activations.names() if str(activations.info(name).module).startswith("torch.nn:")]
    assert set(native) <= PEERS["torch"].counterparts.keys()


@pytest.mark.parametrize("activation", ["prelu", "softmax"])
@pytest.mark.parametrize("mode", ["forward", "forward_backward"])
def test_ours_torchs_relu_and_a_copy_are_timed(activation, mode, installed):
    installed("torch")
    found = timed(activation, mode)
    assert found.seconds.keys() == {"fused", "eager", "torch", "copy", "relu"}
    assert set(found.kept.values()) == ({1.0} if mode == "forward_backward" else {0.0})
    assert not found.failed
    assert {type(value) for value in found.extra_info.values()} == {float}


def test_a_peers_parameters_get_the_shape_of_ours(installed, monkeypatch):
    installed("torch")
    seen = []
    monkeypatch.setattr(torch.nn.PReLU, "forward", lambda self, x: seen.append(self.weight.shape) or x)
    timed("prelu", "forward")
    assert set(seen) == {torch.Size([64])}


def test_a_peer_that_raises_is_a_finding_and_not_a_failure(installed, monkeypatch):
    def broken(self, x):
        raise TypeError("no such thing")

    monkeypatch.setattr(torch.nn.PReLU, "forward", broken)
    installed("torch")
    found = timed("prelu", "forward")
    assert found.failed == {"torch": "TypeError: no such thing"}
    assert "torch" not in found.seconds
    assert "failed: torch prelu-forward: TypeError: no such thing" in times_table([found])


def test_the_table_names_absent_peers_and_shows_multiples_of_fused(installed):
    installed("torch", "torch_activation")
    table = times_table([times(torch_activation=4.0), times("silu", torch=2.0, kept=2.0)])
    assert "not installed (pip install 'actbench[peers]'): timm; transformers" in table
    rows = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("| ")}
    assert list(rows) == ["activation", "serf", "silu"]  # natives last
    assert "4.00 ±0% [1]" in rows["serf"]
    assert rows["serf"].split("|")[2].strip() == "1.50"
    assert "2.00 [2]" in rows["silu"]
    assert "= torch" in rows["silu"]
    assert times_table([]) == ""


def test_the_speed_beside_a_peer_is_a_geometric_mean_over_what_torch_lacks():
    found = [times(torch_activation=2.0), times("telu", torch_activation=8.0), times("mish", torch_activation=99)]
    expected = "over the 2 shared functions that torch lacks: fused 4.00 x, eager 0.80 x as fast as torch-activation"
    assert expected in times_table(found)


def test_another_function_under_the_name_is_said():
    assert "torch-activation hard_elish: (1 + exp(-x)) h(x) below zero" in times_table([times("hard_elish")])


def errors(**changes):
    fine = {"value_ulp": 1.0, "value_at": 0.5, "derivative_ulp": 2.0, "derivative_at": 0.5, "points": 300}
    counts = dict.fromkeys(["wrong_values", "wrong_derivatives", "nan_values", "nan_derivatives"], 0)
    return Errors(**({**fine, **counts, "dtype": torch.float32, "dtype_changed": False} | changes))


def test_the_errors_of_a_peer_are_counted_by_function_and_the_worst_are_named():
    found = PeerErrors(
        PeerCheck("torch-activation", "float32"),
        theirs={
            "serf": errors(wrong_values=3, value_ulp=7.0),
            "telu": errors(wrong_derivatives=9, derivative_ulp=5e3, derivative_at=-7.0, nan_derivatives=22),
            "relu": errors(),
        },
        ours={"serf": errors(), "telu": errors(), "relu": errors()},
        failed={"gcu": "TypeError: oh"},
    )
    table = errors_table([found])
    theirs, ours = (re.findall(r"\d+", line.split("float32")[1]) for line in table.splitlines()[2:4])
    assert [int(cell) for cell in theirs] == [4, 1, 0, 1, 1, 0, 1, 0, 1]
    assert [int(cell) for cell in ours] == [3] + [0] * 8
    assert "telu (gradient 5.0e+03 ulp at -7, gradient NaN at 22 points); gcu (TypeError: oh)" in table
    assert errors_table([]) == ""


def test_our_mistakes_are_those_that_are_not_torchs():
    of = {"silu": errors(value_ulp=500.0), "serf": errors(dtype_changed=True), "telu": errors(value_ulp=50.0)}
    found = PeerErrors(PeerCheck("timm", "float32"), theirs={}, ours=of, failed={})
    assert own_mistakes(found) == {"serf": ["dtype changed"]}


def test_errors_are_measured_of_theirs_and_ours_on_the_same_function(monkeypatch):
    few = {name: PEERS["torch"].counterparts[name] for name in ("prelu", "softmax")}
    monkeypatch.setitem(PEERS, "torch", replace(PEERS["torch"], counterparts=few))
    found = count_errors(PeerCheck("torch", "float32"))
    assert found.theirs.keys() == found.ours.keys() == {"prelu"}  # softmax is no function of a number
    assert own_mistakes(found) == {}


@pytest.fixture
def collected(micro):
    """What pytest says that it would run of the kernels."""

    def listed(*options):
        kernels = str(ROOT / "bench" / "timing" / "test_kernels.py")
        result = micro.runpytest_inprocess(kernels, f"--rootdir={ROOT}", "--collect-only", "-q", *options)
        return result.stdout.str()

    return listed


def test_peers_are_left_out_unless_asked_for_and_the_summary_says_so(collected):
    alone = collected("-k", "elu and implementations")
    assert "2 tests beside other packages were left out: run with --peers -n0" in alone
    asked = collected("--peers", "-k", "elu and implementations").splitlines()
    assert [line.split("::")[1] for line in asked if "::" in line] == [
        "test_implementations[elu-forward]",
        "test_implementations[elu-forward_backward]",
    ]


def test_an_activation_of_ones_own_is_added_to_what_is_timed_and_compared(collected, tmp_path):
    (tmp_path / "mine.py").write_text("def my_act(x):\n    return x\n")
    listed = collected("--peers", "--activation", f"{tmp_path / 'mine.py'}:my_act", "-k", "my_act")
    assert listed.count("test_kernel[my_act-") == 8
    assert listed.count("test_implementations[my_act-") == 2


@pytest.mark.fresh_process
def test_collecting_the_timings_does_not_import_torch():
    collected = "bench.timing.test_kernels, bench.timing.test_peers, bench.timing.test_trainer"
    code = f"import sys, {collected}; print({{'torch', 'scipy', 'numpy'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
