"""Kernel timing: interleaved ratios, their rows and verdicts."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import activations
from bench.timing.kernels import measurement as measuring
from bench.timing.kernels import recorded, verdict
from bench.timing.kernels.kernel import ACTIVATIONS, Kernel, catalogue
from bench.timing.kernels.measurement import Measurement, measure_kernel, prepare_kernel
from bench.timing.kernels.recorded import (
    RecordedKernel,
    key_on,
    read_kernels,
    record_kernel,
    row_for,
    write_kernels,
)
from bench.timing.kernels.table import kernel_table
from bench.timing.kernels.timings import TimedKernel, latest_timings
from bench.timing.kernels.verdict import check_kernel, judge_kernel

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[3]
CASES = 120


def kernel(activation="relu", dtype="float32", size="cache", mode="forward_backward"):
    return Kernel(activation, dtype, size, mode)


def measurement(**changes):
    made = Measurement(
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
    made = RecordedKernel(
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


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    """A tenth of the time for each measurement: what is tested here are differences of a factor, or none at all."""
    monkeypatch.setattr(measuring, "BUDGET_SECONDS", 0.03)
    monkeypatch.setattr(measuring, "SAMPLE_SECONDS", 2e-4)


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
    listed = catalogue()
    assert len(listed) == len({one.id for one in listed}) == 8 * len(ACTIVATIONS) == CASES
    assert "leaky_relu-bfloat16-memory-forward_backward" in {one.id for one in listed}


def test_the_catalogue_has_exactly_the_recorded_activations_and_those_that_are_added():
    known = {row.activation for row in read_kernels(ROOT / "baselines").values()}
    assert known == {one.activation for one in catalogue()}
    added = {one.activation for one in catalogue(["laborious", "relu"])}
    assert added == known | {"laborious"}


def test_an_unknown_field_of_a_kernel_is_an_error_that_lists_the_known_ones():
    with pytest.raises(ValueError, match="dtype 'float8' of a kernel is unknown; known: float32, bfloat16"):
        kernel(dtype="float8")


@pytest.mark.parametrize("mode", ["forward", "forward_backward"])
def test_relu_costs_about_as_much_as_relu(mode):
    found = measure_kernel(kernel(mode=mode), CPU)
    assert 0.6 < found.ratio_relu < 1.7
    assert found.ratio_copy > 0
    assert found.gigabytes_per_second > 0
    assert found.threads == 1


@pytest.mark.parametrize("warn_only", [True, False])
def test_kernels_are_timed_with_any_algorithm_and_the_choice_is_put_back(warn_only):
    torch.use_deterministic_algorithms(True, warn_only=warn_only)
    try:
        with measuring.steady():
            assert not torch.are_deterministic_algorithms_enabled()
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled() is warn_only
    finally:
        torch.use_deterministic_algorithms(False)


def test_measuring_puts_the_number_of_threads_back():
    before = torch.get_num_threads()
    measure_kernel(kernel(), CPU)
    assert torch.get_num_threads() == before


def test_the_figures_for_pytest_benchmark_are_builtin():
    found = measure_kernel(kernel("elu"), CPU)
    assert {type(value) for value in found.extra_info.values()} <= {int, float, str}


@pytest.mark.parametrize(("dtype", "size"), [("float32", 4), ("bfloat16", 2)])
@pytest.mark.parametrize("activation", ["relu", "silu"])
def test_relu_and_silu_keep_exactly_one_tensor_for_backward(activation, dtype, size):
    prepared = prepare_kernel(kernel(activation, dtype), CPU)
    assert prepared.bytes_saved == 2**16 * size
    assert prepared.bytes_moved == 5 * 2**16 * size


def test_the_forward_pass_alone_keeps_nothing_and_moves_input_and_output():
    prepared = prepare_kernel(kernel("silu", mode="forward"), CPU)
    assert prepared.bytes_saved == 0
    assert prepared.bytes_moved == 2 * 2**18


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_every_kernel_can_be_called(activation, dtype):
    forward, both = (kernel(activation, dtype, mode=mode) for mode in ("forward", "forward_backward"))
    result = prepare_kernel(forward, CPU).call()
    gradient, *_ = prepare_kernel(both, CPU).call()
    assert result.shape == gradient.shape == forward.shape
    assert str(result.dtype) == str(gradient.dtype) == f"torch.{dtype}"


def test_an_activation_that_does_its_work_ten_times_has_regressed_from_relu(laborious):
    as_relu = row(mean_log_ratio_relu=0.0, bytes_saved=0, device_name=measuring.device_name(CPU))
    assert check_kernel(laborious, as_relu, CPU, CASES).verdict == "REGRESSED"


def test_the_same_activation_passes_against_its_own_row(laborious, monkeypatch):
    monkeypatch.setattr(recorded, "BLOCKS", 5)
    _, own = record_kernel(laborious, CPU)
    assert own.key == key_on(laborious, CPU)
    assert own.n == 5
    assert check_kernel(laborious, own, CPU, CASES).verdict == "WITHIN"


def test_a_suspicious_kernel_is_measured_once_more_and_that_counts(monkeypatch):
    found = iter([measurement(ratio_relu=20.0), measurement()])
    monkeypatch.setattr(verdict, "measure_kernel", lambda *_: next(found))
    assert check_kernel(kernel("elu"), row(), CPU, CASES).verdict == "WITHIN"
    assert not list(found)


def test_a_session_without_change_raises_a_false_alarm_at_most_once_in_a_hundred():
    draws = np.random.default_rng(0)
    sessions, cases, n, sd = 2000, 8, 10, 0.15
    alarms = 0
    for _ in range(sessions):
        blocks = draws.normal(0, sd, (cases, n))
        fresh = draws.normal(0, sd, cases)
        rows = [
            row(n=n, mean_log_ratio_relu=float(mean), sd_log_ratio_relu=float(spread))
            for mean, spread in zip(blocks.mean(1), blocks.std(1, ddof=1), strict=True)
        ]
        alarms += any(
            judge_kernel(measurement(ratio_relu=math.exp(log)), one, cases).verdict != "WITHIN"
            for log, one in zip(fresh, rows, strict=True)
        )
    # Three standard errors of a rate of 1 % above it.
    assert alarms / sessions <= 0.01 + 3 * math.sqrt(0.01 * 0.99 / sessions)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "WITHIN"),
        ({"ratio_relu": 4.0}, "REGRESSED"),
        ({"ratio_relu": 1.0}, "IMPROVED"),
        ({"bytes_saved": 2**18 + 1}, "REGRESSED"),
        ({"bytes_saved": 2**18 - 1}, "IMPROVED"),
        ({"bytes_saved": 2**18 + 1, "ratio_relu": 1.0}, "REGRESSED"),
    ],
)
def test_slower_or_more_bytes_is_regressed_faster_or_fewer_is_improved(changes, said):
    assert judge_kernel(measurement(**changes), row(), CASES).verdict == said


def test_without_a_row_the_verdict_is_new():
    assert judge_kernel(measurement(), None, CASES).verdict == "NEW"


@pytest.mark.parametrize(("kept", "said"), [(2**18, "NEW"), (2**18 + 1, "REGRESSED"), (2**18 - 1, "IMPROVED")])
def test_a_row_of_another_machine_judges_the_bytes_that_are_kept_and_no_time(kept, said):
    found = judge_kernel(measurement(ratio_relu=40.0, bytes_saved=kept), row(device_name="another"), CASES)
    assert found.verdict == said
    if said != "NEW":
        assert f"not compared with another machine's, {2**18} bytes kept, on another" in found.message


def test_a_kernel_is_judged_by_the_row_of_its_machine_else_of_its_class_of_devices():
    own, other, card = row(), row(device_name="another"), row(device_class="cuda_a100", device_name="A100")
    rows = {one.key: one for one in (card, other, own)}
    assert row_for(rows, own.key) == own
    assert row_for({other.key: other, card.key: card}, own.key) == other
    assert row_for({card.key: card}, own.key) is None
    assert row_for(rows, row(activation="celu").key) is None


def test_a_failure_says_figure_band_machine_and_both_commands():
    text = judge_kernel(measurement(ratio_relu=4.0), row(torch="2.9.1"), CASES).message
    assert "4.00 x relu" in text
    assert "2.00 x relu, band 1.40 to 2.85" in text
    assert "on a machine, torch 2.9.1, 1 thread" in text
    assert 'pytest bench/timing/test_kernels.py -k "[elu-float32-cache-forward_backward]" -n0\n' in text
    assert text.endswith("-n0 --record")


def test_rows_come_back_as_they_were_written_sorted_and_beside_those_of_other_machines(tmp_path):
    rows = [row(), row(activation="celu"), row(device_name='another, "odd" one')]
    (path,) = write_kernels(rows, tmp_path)
    assert path == tmp_path / "measured" / "kernels.cpu.csv"
    assert read_kernels(tmp_path) == {one.key: one for one in rows}
    write_kernels([row(n=12)], tmp_path)
    write_kernels([row(device_class="cuda_a100", device_name="A100")], tmp_path)
    assert len(read_kernels(tmp_path)) == 4
    assert read_kernels(tmp_path)[row().key].n == 12
    assert [line.split(",")[0] for line in path.read_text().splitlines()] == ["activation", "celu", "elu", "elu"]


def test_a_row_of_the_same_machine_by_another_class_of_devices_is_another_row(tmp_path):
    """On Apple's machines the CPU and MPS have one name."""
    rows = [row(), row(device_class="mps", ratio_copy=3.0)]
    write_kernels(rows, tmp_path)
    assert read_kernels(tmp_path) == {one.key: one for one in rows}
    found = [TimedKernel(measurement(device_class=one.device_class), "PASSED") for one in rows]
    assert latest_timings(found) == found


def test_no_rows_are_read_where_nothing_is_recorded(tmp_path):
    assert read_kernels(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("elu,", "elu", "not 13 fields"),
        (",10,", ",ten,", "invalid literal"),
        (",10,", ",1,", "n must be 2 or more"),
        ("0.02", "nan", "n must be 2 or more"),
        ("float32", "float8", "known: float32, bfloat16"),
    ],
)
def test_a_malformed_row_is_an_error_that_names_file_and_line(tmp_path, old, new, complaint):
    (path,) = write_kernels([row(activation="celu"), row()], tmp_path)
    *before, last = path.read_text().splitlines()
    path.write_text("\n".join([*before, last.replace(old, new, 1)]))
    with pytest.raises(ValueError, match=rf"kernels\.cpu\.csv, line 3: .*{complaint}.* re-record"):
        read_kernels(tmp_path)


def test_two_rows_of_one_kernel_are_refused_as_a_merge_may_leave_them(tmp_path):
    (path,) = write_kernels([row(activation="celu"), row()], tmp_path)
    path.write_text(path.read_text() + path.read_text().splitlines()[-1])
    with pytest.raises(ValueError, match=r"kernels\.cpu\.csv, line 4: a second row for elu there; keep one"):
        read_kernels(tmp_path)


def test_a_foreign_header_is_an_error_that_names_the_file(tmp_path):
    (path,) = write_kernels([row()], tmp_path)
    path.write_text("name,value\n")
    with pytest.raises(ValueError, match=r"kernels\.cpu\.csv, line 1: the columns are not activation,"):
        read_kernels(tmp_path)


def test_the_table_is_sorted_by_cost_and_shows_verdicts_only_where_one_is_remarkable():
    cheap = measurement(kernel=kernel("relu"), ratio_relu=1.0)
    forward = measurement(kernel=kernel("elu", mode="forward"), seconds=2e-2)
    alarm = judge_kernel(measurement(ratio_relu=4.0), row(), CASES)
    text = kernel_table(
        [TimedKernel(measurement(), "WITHIN"), TimedKernel(forward, "IGNORED"), TimedKernel(cheap, "RECORDED")]
    )
    assert text.index("relu  ") < text.index("elu  ", text.index("relu  ") + 6)
    assert "20 ms" in text
    assert "100 µs" in text
    assert "2.00 ±3%" in text
    assert "256 KiB" in text
    assert "verdict" not in text
    assert "REGRESSED (forward_backward)" in kernel_table([alarm])
    assert kernel_table([]) == ""
