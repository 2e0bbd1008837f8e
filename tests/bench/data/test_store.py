"""The cache: read the second time, checked, named when damaged, and safe between processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import safetensors
from torch import Tensor

from bench.data import DataError, images, store
from made_data import TOY, Source, cached, forget, holds, source_of


def test_the_second_time_it_comes_from_the_cache(toy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = store.load("toy", toy.where)
    (path,) = cached(tmp_path)
    assert path.name.startswith("toy-")
    forget()

    def read(*args: object) -> dict[str, Tensor]:
        raise AssertionError("the source was read again")

    monkeypatch.setattr(images, "read", read)
    second = store.load("toy", toy.where)
    assert second is not first
    assert second.data_hash == first.data_hash
    assert holds(second, toy)


def test_a_changed_source_is_read_anew_and_has_another_hash(toy: Source, tmp_path: Path) -> None:
    first = store.load("toy", toy.where)
    toy.pixels["test"][3, 2, 1] ^= 1
    toy.write("test")
    forget()
    second = store.load("toy", toy.where)
    assert holds(second, toy)
    assert second.data_hash != first.data_hash
    assert len(cached(tmp_path)) == 2


def test_the_hash_is_of_the_data_not_of_the_files(toy: Source, tmp_path: Path) -> None:
    first = store.load("toy", toy.where).data_hash
    assert store.load("toy", source_of(tmp_path / "elsewhere", TOY).where).data_hash == first
    forget()
    toy.labels["train"][0] = 3
    toy.write("train")
    assert store.load("toy", toy.where).data_hash != first


def test_a_truncated_cache_names_the_file(toy: Source, tmp_path: Path) -> None:
    store.load("toy", toy.where)
    (path,) = cached(tmp_path)
    whole = path.read_bytes()
    for size in (0, 4, 8, 50, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        forget()
        with pytest.raises(DataError, match=r"corrupt .*delete it and run again") as caught:
            store.load("toy", toy.where)
        assert str(path) in str(caught.value)
    path.unlink()  # as the message says
    assert holds(store.load("toy", toy.where), toy)


def test_one_flipped_bit_anywhere_in_the_cache_names_the_file(toy: Source, tmp_path: Path) -> None:
    """In every byte of the header, where the names, shapes and the hash stand, and here and there in the data."""
    store.load("toy", toy.where)
    (path,) = cached(tmp_path)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    for position in (*range(header), *range(header, len(whole), 37), len(whole) - 1):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        forget()
        with pytest.raises(DataError, match="corrupt") as caught:
            store.load("toy", toy.where)
        assert str(path) in str(caught.value), position


def test_a_cache_that_cannot_be_written_names_the_variable(
    toy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ACTBENCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match="set ACTBENCH_CACHE to a folder that can be") as caught:
        store.load("toy", toy.where)
    assert str(tmp_path / "file" / "cache") in str(caught.value)


@pytest.mark.parametrize("kind", [OSError, safetensors.SafetensorError])
def test_a_write_that_is_cut_off_leaves_no_half_of_a_cache(
    toy: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    def save_file(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        Path(path).write_bytes(b"half of it")
        raise kind("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(store.safetensors.torch, "save_file", save_file)
        with pytest.raises(DataError, match=r"cannot write the cache .*No space left on device"):
            store.load("toy", toy.where)
    assert cached(tmp_path) == []
    assert holds(store.load("toy", toy.where), toy)


def test_without_the_variable_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    monkeypatch.delenv("ACTBENCH_CACHE")
    assert store.cache_folder() == platformdirs.user_cache_path("actbench")


LOADS = """
    import sys, time
    from dataclasses import replace
    from pathlib import Path
    from bench.data import DATASETS, DatasetInfo, images, store
    from bench.data.locations import Locations

    data_dir, me, shared = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    DATASETS["toy"] = DatasetInfo(**eval(sys.argv[4]))
    real = images.read

    def read(*args):
        (shared / f"read-{me}").touch()
        tensors = real(*args)
        time.sleep(0.3)  # the other one is at the door by now
        return tensors

    images.read = read
    import datasets  # the slow import must not put one of the two ahead
    (shared / f"ready-{me}").touch()
    deadline = time.monotonic() + 60
    while len(list(shared.glob("ready-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    dataset = store.load("toy", Locations(data_dir))
    print(dataset.data_hash, store._hash(dataset.tensors))
"""


@pytest.mark.fresh_process
def test_two_processes_on_an_empty_cache_get_equal_data_and_read_it_once(toy: Source, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                textwrap.dedent(LOADS),
                toy.data_dir,
                name,
                tmp_path,
                repr({**vars(TOY), "copies": {}}),
            ],
            cwd=Path(store.__file__).parents[2],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    printed = [process.communicate(timeout=120)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert len(list(tmp_path.glob("ready-*"))) == 2
    assert len(list(tmp_path.glob("read-*"))) == 1
    assert {data_hash for line in printed for data_hash in line} == {store.load("toy", toy.where).data_hash}
    assert not list((tmp_path / "cache").glob("*.tmp"))
