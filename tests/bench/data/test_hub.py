"""The hub: asked once a process, and what is said when it cannot be reached."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any

import pytest

from bench.data import DATASETS, DataError, hub, info, store
from made_data import TOY, Source, cached, holds, prepare

CLOSED = "http://127.0.0.1:9"  # nothing listens on the discard port


@pytest.fixture
def closed_hub(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A hub that nobody answers for; the list grows with each attempt to reach it."""
    from huggingface_hub import constants

    attempts: list[object] = []
    real = urllib.request.urlopen

    def urlopen(request: Any, **kwargs: Any) -> Any:
        attempts.append(request)
        return real(request, **kwargs)

    monkeypatch.setattr(constants, "ENDPOINT", CLOSED)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return attempts


def test_a_hub_that_cannot_be_reached_tells_of_both_ways_to_name_a_folder(
    closed_hub: list[object], tmp_path: Path
) -> None:
    hubs = [name for name in DATASETS if info(name).hub]
    for name in hubs:
        with pytest.raises(DataError, match="hub cannot be reached") as caught:
            store.load(name)
        for needed in (str(info(name).hub), "--data-dir", "ACTBENCH_DATA"):
            assert needed in str(caught.value)
    assert len(hubs) > 1
    assert len(closed_hub) == 1  # asked once a process, not once a data set
    assert cached(tmp_path) == []


def test_digits_need_neither_hub_nor_folder_nor_cache(closed_hub: list[object], tmp_path: Path) -> None:
    assert len(prepare("digits").test) == 360
    assert closed_hub == []
    assert not (tmp_path / "cache").exists()


def test_a_folder_is_read_without_the_hub(closed_hub: list[object], toy: Source) -> None:
    assert holds(store.load("toy", toy.where), toy)
    assert closed_hub == []


def test_the_hubs_data_are_read_and_cached(toy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    loaded = datasets.load_dataset(str(toy.folder), cache_dir=str(tmp_path / "arrow"))
    asked: list[str] = []
    monkeypatch.setattr(hub, "_unreachable", _nothing_wrong)
    monkeypatch.setattr(datasets, "load_dataset", lambda name, configuration: (asked.append(name), loaded)[1])
    for _ in range(2):
        assert holds(store.load("toy"), toy)
        store._load.cache_clear()
    assert asked == [TOY.hub]
    assert [path.name for path in cached(tmp_path)] == ["toy-hub.safetensors"]


def test_a_hub_that_fails_or_is_switched_off_tells_of_both_ways_to_name_a_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HF_HUB_OFFLINE=1 with nothing in the hub's own cache comes this way."""
    import datasets

    def load_dataset(name: str, configuration: str | None) -> object:
        raise ConnectionError(f"Couldn't reach '{name}' on the Hub (OfflineModeIsEnabled)")

    monkeypatch.setattr(hub, "_unreachable", _nothing_wrong)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(DataError, match="OfflineModeIsEnabled") as caught:
        store.load("toy")
    for needed in (str(TOY.hub), "--data-dir", "ACTBENCH_DATA"):
        assert needed in str(caught.value)


class _NothingWrong:
    """Stands for the check of the hub, with its `cache_clear`."""

    def __call__(self) -> str:
        return ""

    def cache_clear(self) -> None:
        pass


_nothing_wrong = _NothingWrong()
