"""Kernel timing: interleaved ratios, their rows and verdicts. `pytest tests/test_kernels.py`"""

import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import activations
from activations.contract.accuracy import Errors
from bench.timing import kernels

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[3]
CASES = 120


def kernel(activation="relu", dtype="float32", size="cache", mode="forward_backward"):
    return kernels.Kernel(activation, dtype, size, mode)


def measurement(**changes):
    made = kernels.Measurement(
        kernel=kernel("elu"),
        device_class="cpu",
        device_name="a machine",
        torch="2.14.1",
        threads=1,
        n=20,
        seconds=1e-4,
        ratio_relu=2.0,
        sd_log_ratio_relu=0.03,
        ratio_copy=9.0,
        bytes_moved=5 * 2**18,
        bytes_saved=2**18,
    )
    return replace(made, **changes)


def row(**changes):
    made = kernels.Row(
        device_class="cpu",
        activation="elu",
        dtype="float32",
        size="cache",
        mode="forward_backward",
        device_name="a machine",
        torch="2.14.1",
        threads=1,
        n=10,
        mean_log_ratio_relu=round(math.log(2), 4),
        sd_log_ratio_relu=0.02,
        ratio_copy=9.0,
        bytes_saved=2**18,
        date="2026-11-21",
    )
    return replace(made, **changes)


class Laborious(nn.Module):
    """relu, worked out ten times."""

    def forward(self, x):
        for _ in range(10):
            y = torch.relu(x)
        return y


@pytest.fixture
def laborious(monkeypatch):
    registry = activations._registry
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    own = activations.Activation("laborious", "Laborious", "user", "this test", module=Laborious)
    activations.register(own)
    return kernel("laborious", mode="forward")


def test_every_recorded_activation_is_timed_at_every_dtype_size_and_mode():
    listed = kernels.catalogue()
    assert len(listed) == len({one.id for one in listed}) == 8 * len(kernels.ACTIVATIONS) == CASES
    assert "leaky_relu-bfloat16-memory-forward_backward" in {one.id for one in listed}


def test_the_catalogue_has_exactly_the_recorded_activations_and_those_that_are_added():
    recorded = {row.activation for row in kernels.read(ROOT / "baselines").values()}
    assert recorded == {one.activation for one in kernels.catalogue()}
    added = {one.activation for one in kernels.catalogue(["laborious", "relu"])}
    assert added == recorded | {"laborious"}


def test_an_unknown_field_of_a_kernel_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match="dtype 'float8' of a kernel is unknown; known: float32, bfloat16"):
        kernel(dtype="float8")


@pytest.mark.parametrize("mode", ["forward", "forward_backward"])
def test_relu_costs_about_as_much_as_relu(mode):
    found = kernels.measure(kernel(mode=mode), CPU)
    assert 0.6 < found.ratio_relu < 1.7
    assert found.ratio_copy > 0
    assert found.gigabytes_per_second > 0
    assert found.threads == 1


def test_measuring_puts_the_number_of_threads_back():
    before = torch.get_num_threads()
    kernels.measure(kernel(), CPU)
    assert torch.get_num_threads() == before


def test_the_figures_for_pytest_benchmark_are_builtin():
    found = kernels.measure(kernel("elu"), CPU)
    assert {type(value) for value in found.extra_info.values()} <= {int, float, str}


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("bfloat16", 2)])
@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_relu_and_silu_keep_exactly_one_tensor_for_backward(activation, dtype, size):
    prepared = kernels.prepare(kernel(activation, dtype), CPU)
    assert prepared.bytes_saved == 2**16 * size
    assert prepared.bytes_moved == 5 * 2**16 * size


def test_the_forward_pass_alone_keeps_nothing_and_moves_input_and_output():
    prepared = kernels.prepare(kernel("silu", mode="forward"), CPU)
    assert prepared.bytes_saved == 0
    assert prepared.bytes_moved == 2 * 2**18


@pytest.mark.parametrize("activation", kernels.ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_kernel_can_be_called(activation, dtype):
    forward, both = (kernel(activation, dtype, mode=mode) for mode in ("forward", "forward_backward"))
    result = kernels.prepare(forward, CPU).call()
    gradient, *_ = kernels.prepare(both, CPU).call()
    assert result.shape == gradient.shape == forward.shape
    assert str(result.dtype) == str(gradient.dtype) == f"torch.{dtype}"


def test_an_activation_that_does_its_work_ten_times_has_regressed_from_relu(laborious):
    recorded = row(mean_log_ratio_relu=0.0, bytes_saved=0)
    _, verdict = kernels.check(laborious, recorded, CPU, CASES)
    assert verdict.name == "REGRESSED"
    assert not verdict.passed


def test_the_same_activation_passes_against_its_own_row(laborious, monkeypatch):
    monkeypatch.setattr("bench.timing.kernels._rows.BLOCKS", 5)
    _, recorded = kernels.record(laborious, CPU)
    assert recorded.key == kernels.key(laborious, CPU)
    assert recorded.n == 5
    _, verdict = kernels.check(laborious, recorded, CPU, CASES)
    assert verdict.name == "WITHIN"


def test_a_suspicious_kernel_is_measured_once_more_and_that_counts(monkeypatch):
    found = iter([measurement(ratio_relu=20.0), measurement()])
    monkeypatch.setattr("bench.timing.kernels._verdict.measure", lambda *_: next(found))
    _, verdict = kernels.check(kernel("elu"), row(), CPU, CASES)
    assert verdict.name == "WITHIN"
    assert not list(found)


def test_a_session_without_change_raises_a_false_alarm_at_most_once_in_a_hundred():
    draws = np.random.default_rng(0)
    sessions, cases, n, sd = 2000, 20, 10, 0.15
    alarms = 0
    for _ in range(sessions):
        blocks = draws.normal(0, sd, (cases, n))
        fresh = draws.normal(0, sd, cases)
        rows = [
            row(n=n, mean_log_ratio_relu=float(mean), sd_log_ratio_relu=float(spread))
            for mean, spread in zip(blocks.mean(1), blocks.std(1, ddof=1), strict=True)
        ]
        alarms += any(
            kernels.judge(measurement(ratio_relu=math.exp(log)), one, cases).name != "WITHIN"
            for log, one in zip(fresh, rows, strict=True)
        )
    # Three standard errors of a rate of 1 % above it.
    assert alarms / sessions <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / sessions)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "WITHIN"),
        ({"ratio_relu": 4.0}, "REGRESSED"),
        ({"ratio_relu": 1.0}, "IMPROVED"),
        ({"bytes_saved": 2**18 + 1}, "REGRESSED"),
        ({"bytes_saved": 2**18 - 1}, "IMPROVED"),
        ({"bytes_saved": 2**18 + 1, "ratio_relu": 1.0}, "REGRESSED"),
    ],
)
def test_slower_or_more_bytes_is_regressed_faster_or_fewer_is_improved(changes, verdict):
    assert kernels.judge(measurement(**changes), row(), CASES).name == verdict


def test_without_a_row_the_verdict_is_new_and_passes():
    verdict = kernels.judge(measurement(), None, CASES)
    assert (verdict.name, verdict.passed) == ("NEW", True)


def test_a_failure_says_figure_band_machine_and_both_commands():
    text = kernels.judge(measurement(ratio_relu=4.0), row(device_name="the recorded one"), CASES).explanation
    assert "4.00 x relu" in text
    assert "2.00 x relu, band 1.40 to 2.85" in text
    assert "the recorded one" in text
    assert 'pytest bench/timing/test_kernels.py -k "[elu-float32-cache-forward_backward]" -n0\n' in text
    assert text.endswith("-n0 --record")


def test_rows_come_back_as_they_were_written_sorted_and_beside_those_of_other_machines(tmp_path):
    rows = [row(), row(activation="celu"), row(device_name='another, "odd" one')]
    (path,) = kernels.write(rows, tmp_path)
    assert path == tmp_path / "measured" / "kernels.cpu.csv"
    assert kernels.read(tmp_path) == {one.key: one for one in rows}
    kernels.write([row(n=12)], tmp_path)
    kernels.write([row(device_class="cuda_a100", device_name="A100")], tmp_path)
    assert len(kernels.read(tmp_path)) == 4
    assert kernels.read(tmp_path)[row().key].n == 12
    assert [line.split(",")[0] for line in path.read_text().splitlines()] == ["activation", "celu", "elu", "elu"]


def test_no_rows_are_read_where_nothing_is_recorded(tmp_path):
    assert kernels.read(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("elu,", "elu", "12 values, expected 13"),
        (",10,", ",ten,", "invalid literal"),
        (",10,", ",1,", "n must be 2 or more"),
        ("0.02", "nan", "n must be 2 or more"),
        ("float32", "float8", "known: float32, bfloat16"),
    ],
)
def test_a_malformed_row_is_an_error_that_names_file_and_line(tmp_path, old, new, complaint):
    (path,) = kernels.write([row(activation="celu"), row()], tmp_path)
    *before, last = path.read_text().splitlines()
    path.write_text("\n".join([*before, last.replace(old, new, 1)]))
    with pytest.raises(ValueError, match=rf"kernels\.cpu\.csv, line 3: .*{complaint}.* record again"):
        kernels.read(tmp_path)


def test_a_foreign_header_is_an_error_that_names_the_file(tmp_path):
    (path,) = kernels.write([row()], tmp_path)
    path.write_text("name,value\n")
    with pytest.raises(ValueError, match=r"kernels\.cpu\.csv, line 1: the columns must be activation,"):
        kernels.read(tmp_path)


def test_the_table_is_sorted_by_cost_and_shows_verdicts_only_where_one_is_remarkable():
    cheap = measurement(kernel=kernel("relu"), ratio_relu=1.0)
    forward = measurement(kernel=kernel("elu", mode="forward"), seconds=2e-2)
    quiet = kernels.judge(measurement(), row(), CASES)
    alarm = kernels.judge(measurement(ratio_relu=4.0), row(), CASES)
    text = kernels.table([(measurement(), quiet, row()), (forward, None, None), (cheap, quiet, row())])
    assert text.index("relu  ") < text.index("elu  ", text.index("relu  ") + 6)
    assert "20 ms" in text
    assert "100 µs" in text
    assert "2.00 ±3%" in text
    assert "256 KiB" in text
    assert "verdict" not in text
    assert "REGRESSED (forward_backward)" in kernels.table([(measurement(), alarm, row())])
    assert kernels.table([]) == ""


@pytest.fixture
def installed(monkeypatch):
    """Lets a test say which packages are there."""

    def only(*packages):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in packages else None)

    return only


def compared(activation="serf", mode="forward_backward", kept=1.0, failed=(), **seconds):
    seconds = {"fused": 1.0, "eager": 5.0, "copy": 0.5, "relu": 1.0, "gelu": 1.0} | seconds
    return kernels.Compared(
        comparison=kernels.Comparison(activation, mode),
        elements=2**22,
        device_name="a machine",
        torch="2.14.1",
        seconds={name.replace("_", "-"): [value] * 5 for name, value in seconds.items()},
        kept=dict.fromkeys([name.replace("_", "-") for name in seconds], 1.0) | {"fused": kept},
        failed=dict(failed),
    )


@pytest.mark.parametrize("peer", kernels.PEERS.values(), ids=lambda peer: peer.name)
def test_a_peer_has_counterparts_of_registered_activations_only(peer):
    assert peer.counterparts.keys() <= set(activations.names())


@pytest.mark.parametrize("peer", kernels.PEERS.values(), ids=lambda peer: peer.name)
def test_every_counterpart_can_be_built_and_called(peer):
    if not peer.installed:
        pytest.skip(f"{peer.name} is not installed; pip install 'actbench[peers]'")
    for name in peer.counterparts:
        entry = activations.info(name)
        module = peer.build(name, {**entry.defaults, **entry.parameters}).eval()
        assert module(torch.randn(4, 6)).shape == (4, 6 // entry.in_features_multiplier)


def test_every_native_module_of_the_registry_is_a_counterpart_of_torchs():
    native = [name for name in activations.names() if str(activations.info(name).module).startswith("torch.nn:")]
    assert set(native) <= kernels.PEERS["torch"].counterparts.keys()


@pytest.mark.parametrize("activation", ["prelu", "softmax"])
@pytest.mark.parametrize("mode", ["forward", "forward_backward"])
def test_a_comparison_times_ours_torchs_and_the_yardsticks(activation, mode, installed, monkeypatch):
    monkeypatch.setattr("activations.fused._unavailable", True)  # compiling takes long, and is tested elsewhere
    installed("torch")
    found = kernels.compare(kernels.Comparison(activation, mode), CPU, elements=2**14)
    assert found.seconds.keys() == {"fused", "eager", "torch", "copy", "relu", "gelu"}
    assert set(found.kept.values()) == ({1.0} if mode == "forward_backward" else {0.0})
    assert not found.failed
    assert {type(value) for value in found.extra_info.values()} <= {int, float}


def test_a_peers_parameters_get_the_shape_of_ours(installed, monkeypatch):
    monkeypatch.setattr("activations.fused._unavailable", True)
    installed("torch")
    seen = []
    monkeypatch.setattr(torch.nn.PReLU, "forward", lambda self, x: seen.append(self.weight.shape) or x)
    kernels.compare(kernels.Comparison("prelu", "forward"), CPU, elements=2**14)
    assert set(seen) == {torch.Size([64])}


def test_a_peer_that_raises_is_a_finding_and_not_a_failure(installed, monkeypatch):
    def broken(self, x):
        raise TypeError("no such thing")

    monkeypatch.setattr("activations.fused._unavailable", True)
    monkeypatch.setattr(torch.nn.PReLU, "forward", broken)
    installed("torch")
    found = kernels.compare(kernels.Comparison("prelu", "forward"), CPU, elements=2**14)
    assert found.failed == {"torch": "TypeError: no such thing"}
    assert "torch" not in found.seconds
    table = kernels.comparison_table([found])
    assert "failed: torch prelu-forward: TypeError: no such thing" in table


def test_the_table_of_implementations_names_absent_peers_and_multiples_of_fused(installed):
    installed("torch", "torch_activation")
    table = kernels.comparison_table([compared(torch_activation=4.0), compared("silu", torch=2.0)])
    assert "not installed: timm, transformers; pip install 'actbench[peers]'" in table
    rows = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("| ")}
    assert list(rows) == ["activation", "serf", "silu"]  # natives last
    assert "4.00 ±0% [1]" in rows["serf"]
    assert "= torch" in rows["silu"]
    assert kernels.comparison_table([]) == ""


def test_goals_take_the_geometric_mean_over_what_torch_lacks():
    found = [
        compared(torch_activation=2.0),
        compared("telu", torch_activation=8.0),
        compared("mish", torch_activation=99),
    ]
    text = kernels.goals(found)
    assert "over the 2 shared functions that torch lacks: fused 4.00 x as fast as torch-activation" in text
    assert "the goal being 3: held" in text
    assert "the goal being 3: missed" in kernels.goals([compared(torch_activation=2.0)])


def test_goals_name_what_is_slower_than_torch_or_than_its_yardstick_or_keeps_more():
    found = [compared("silu", torch=0.5), compared("srelu", relu=0.3), compared("serf", relu=0.3, gelu=0.4, kept=2.0)]
    text = kernels.goals(found)
    assert "fused at most 1.05 x torch's own: held by 0 of 1, missed by silu-forward_backward 2.00 x torch" in text
    assert "held by 1 of 3, missed by srelu 3.33 x relu; serf 2.50 x gelu" in text
    assert "one tensor kept for backward, fused: held by 2 of 3, missed by serf 2.00" in text


def test_a_goal_is_missed_only_beyond_two_standard_errors():
    noisy = replace(compared("silu"), seconds=compared("silu").seconds | {"torch": [0.5, 2.0, 0.9, 0.4, 1.8]})
    assert not noisy.exceeds("fused", "torch", 1.05)
    assert compared("silu", torch=0.9).exceeds("fused", "torch", 1.05)


def errors(**changes):
    fine = {"value_ulp": 1.0, "value_at": 0.5, "derivative_ulp": 2.0, "derivative_at": 0.5, "points": 300}
    counts = dict.fromkeys(["wrong_values", "wrong_derivatives", "nan_values", "nan_derivatives"], 0)
    return Errors(**({**fine, **counts, "dtype": torch.float32, "dtype_changed": False} | changes))


def test_the_count_of_a_peer_says_how_many_functions_are_wrong_and_which():
    counted = kernels.Count(
        kernels.Judged("torch-activation", "float32"),
        theirs={
            "serf": errors(wrong_values=3, value_ulp=7.0),
            "telu": errors(wrong_derivatives=9, derivative_ulp=5e3, derivative_at=-7.0, nan_derivatives=22),
            "relu": errors(),
        },
        ours={"serf": errors(), "telu": errors(), "relu": errors()},
        failed={"gcu": "TypeError: oh"},
    )
    table = kernels.count_table([counted])
    theirs, ours = (re.findall(r"\d+", line.split("float32")[1]) for line in table.splitlines()[2:4])
    assert [int(cell) for cell in theirs] == [4, 1, 0, 1, 1, 0, 1, 0, 1]
    assert [int(cell) for cell in ours] == [3] + [0] * 8
    assert "telu (gradient 5.0e+03 ulp at -7, gradient NaN at 22 points); gcu (TypeError: oh)" in table
    assert kernels.count_table([]) == ""


def test_our_mistakes_are_those_that_are_not_torchs():
    of = {"silu": errors(value_ulp=500.0), "serf": errors(dtype_changed=True), "telu": errors(value_ulp=50.0)}
    counted = kernels.Count(kernels.Judged("timm", "float32"), theirs={}, ours=of, failed={})
    assert kernels.own_mistakes(counted) == {"serf": ["dtype changed"]}


def test_a_count_measures_theirs_and_ours_on_the_same_function(monkeypatch):
    few = {name: kernels.PEERS["torch"].counterparts[name] for name in ("prelu", "softmax")}
    monkeypatch.setitem(kernels.PEERS, "torch", replace(kernels.PEERS["torch"], counterparts=few))
    counted = kernels.count(kernels.Judged("torch", "float32"))
    assert counted.theirs.keys() == counted.ours.keys() == {"prelu"}  # softmax is no function of a number
    assert kernels.own_mistakes(counted) == {}


def collected(*options):
    """What pytest says that it would run of the kernels."""
    command = [sys.executable, "-m", "pytest", "bench/timing/test_kernels.py", "--collect-only", "-q", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_comparisons_are_left_out_unless_asked_for_and_the_summary_says_so():
    assert "2 tests beside other packages were left out: run with --peers -n0" in collected(
        "-k", "elu and implementations"
    )
    asked = collected("--peers", "-k", "elu and implementations").splitlines()
    assert [line.split("::")[1] for line in asked if "::" in line] == [
        "test_implementations[elu-forward]",
        "test_implementations[elu-forward_backward]",
    ]


def test_an_activation_of_ones_own_is_added_to_what_is_timed_and_compared(tmp_path):
    (tmp_path / "mine.py").write_text("def my_act(x):\n    return x\n")
    listed = collected("--peers", "--activation", f"{tmp_path / 'mine.py'}:my_act", "-k", "my_act")
    assert listed.count("test_kernel[my_act-") == 8
    assert listed.count("test_implementations[my_act-") == 2


def test_collecting_the_timings_does_not_import_torch():
    collected = "bench.timing.test_kernels, bench.timing.test_peers, bench.timing.test_trainer"
    code = f"import sys, {collected}; print({{'torch', 'scipy', 'numpy'}} & {{*sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
