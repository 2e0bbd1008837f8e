"""What the suite asks of a card: its name, its share for a worker, its clock, its memory, and what its bits hang on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bench.cases.recipe import Recipe
from bench.timing import interleave
from bench.training import device, fingerprint, out_of_memory

pytestmark = pytest.mark.gpu

ROOT = Path(__file__).parents[2]
RECIPE = Recipe(version=1, epochs=1, batch_size=8, learning_rate=0.1, initialisation="torch")
MIB = 2**20
CYCLES = 10**8  # of a card's clock: some 50 ms


def test_it_is_found_by_its_name_and_set_up_for_equal_bits(card: torch.device) -> None:
    assert device.has_cuda()
    assert device.visible_gpus()
    assert device.resolve("auto") == card == torch.device("cuda", torch.cuda.current_device())
    assert fingerprint.device_class(card).startswith("cuda_")
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark


@pytest.mark.fresh_process
def test_a_worker_sees_the_one_card_that_it_is_pinned_to() -> None:
    code = (
        "from bench.training import device\n"
        "device.pin_worker(1, 2)\n"
        "import torch\n"
        "print(torch.cuda.device_count(), torch.cuda.get_device_name())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("1 ")


def test_time_is_that_of_the_kernels_and_not_of_their_launch(card: torch.device) -> None:
    torch.cuda._sleep(1)
    torch.cuda.synchronize()
    begin, start = time.perf_counter(), device.now(card)
    torch.cuda._sleep(CYCLES)
    launched = time.perf_counter() - begin
    taken = device.since(start, card)
    assert launched < 0.01 < taken
    assert taken == pytest.approx(time.perf_counter() - begin, rel=0.5)


def test_calls_in_turn_are_timed_by_events_too(card: torch.device) -> None:
    calls = {f"{times}": lambda times=times: torch.cuda._sleep(times * CYCLES // 50) for times in (1, 3)}
    taken = interleave.measure_in_turn(calls, rounds=5, device=card)
    assert interleave.ratio(taken["3"], taken["1"]).median == pytest.approx(3, rel=0.2)


def test_the_peak_of_memory_is_that_of_training_alone(card: torch.device) -> None:
    before = torch.ones(8 * MIB, device=card)
    peak = device.PeakMemory(card)
    with peak.watched():
        torch.empty(64 * MIB, dtype=torch.int8, device=card)
        torch.mm(before[:64].view(8, 8), before[:64].view(8, 8))
    torch.empty(256 * MIB, dtype=torch.int8, device=card)
    assert peak.bytes is not None
    assert 64 * MIB <= peak.bytes < 65 * MIB


def test_what_does_not_fit_is_named_and_leaves_the_card_as_it_was(card: torch.device) -> None:
    before = torch.cuda.memory_allocated(card)

    def run() -> torch.Tensor:
        held = torch.empty(64 * MIB, dtype=torch.int8, device=card)
        return torch.cat([held, torch.empty(2**50, dtype=torch.int8, device=card)])

    with pytest.raises(out_of_memory.OutOfMemoryError, match=r"^seed 3: out of memory: CUDA out of memory"):
        out_of_memory.named("seed 3", run)
    assert torch.cuda.memory_allocated(card) <= before
    assert torch.ones(3, device=card).sum().item() == 3


@pytest.fixture
def precisions() -> Iterator[None]:
    places = torch.backends.cudnn.conv, torch.backends.cuda.matmul
    before = [place.fp32_precision for place in places]
    yield
    for place, precision in zip(places, before, strict=True):
        place.fp32_precision = precision
    fingerprint._canary.cache_clear()


def test_the_fingerprint_repeats(card: torch.device) -> None:
    one = fingerprint.take(card, RECIPE)
    fingerprint._canary.cache_clear()
    assert fingerprint.differences(one, fingerprint.take(card, RECIPE)) == ""
    assert one["device_name"] == torch.cuda.get_device_name(card)


@pytest.mark.usefixtures("precisions")
def test_tf32_that_was_set_since_torch_2_9_is_in_the_fingerprint_and_in_the_bits(card: torch.device) -> None:
    taken = {}
    for precision in ("ieee", "tf32"):
        torch.backends.cudnn.conv.fp32_precision = torch.backends.cuda.matmul.fp32_precision = precision
        fingerprint._canary.cache_clear()
        taken[precision] = fingerprint.take(card, RECIPE)
    assert (taken["ieee"]["tf32"], taken["tf32"]["tf32"]) == ("", "convolution matmul")
    if torch.cuda.get_device_capability(card) >= (8, 0):
        assert taken["ieee"]["canary"] != taken["tf32"]["canary"]


@pytest.mark.usefixtures("precisions")
def test_float32_has_all_its_digits_where_it_is_asked_to(card: torch.device) -> None:
    torch.backends.cudnn.conv.fp32_precision = torch.backends.cuda.matmul.fp32_precision = "tf32"
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 64, 16, 16, generator=generator, dtype=torch.float64).to(card)
    kernel = torch.randn(64, 64, 3, 3, generator=generator, dtype=torch.float64).to(card)
    exact = torch.conv2d(x, kernel)
    with device.full_float32():
        found = torch.conv2d(x.float(), kernel.float())
    assert ((found - exact).norm() / exact.norm()).item() < 1e-5
