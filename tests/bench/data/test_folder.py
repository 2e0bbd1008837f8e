"""Folders as people have them: names that look like patterns, what file managers leave behind, links to nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.data import DataError, folder, store
from bench.data.locations import Locations
from made_data import Source, cached, holds

NAMES = ("da ta", "Größe", "[v2]", "a*b", "a?b", "{x}", "100%", "a#b", "~x", "a=b", "a:b")
JUNK = ("._{}", ".{}.swp", "@eaDir/{}", "__MACOSX/._{}", ".ipynb_checkpoints/{}")


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_a_name_and_no_pattern(toy: Source, tmp_path: Path, name: str) -> None:
    shutil.copytree(toy.data_dir, tmp_path / "aXb")  # what a?b and a*b would find too
    shutil.move(toy.data_dir, tmp_path / name)
    assert holds(store.load("toy", Locations(tmp_path / name)), toy)


@pytest.mark.parametrize("name", ["[v2]", "a?b", "a=1"])
def test_so_is_one_below_the_data_set(toy: Source, name: str) -> None:
    (toy.folder / "data").rename(toy.folder / name)
    assert holds(store.load("toy", toy.where), toy)


def test_links_to_folders_are_followed_and_each_folder_is_read_once(toy: Source, tmp_path: Path) -> None:
    (toy.folder / "data").rename(tmp_path / "elsewhere")
    for name in ("data", "again"):
        (toy.folder / name).symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "round").symlink_to(toy.folder)
    assert holds(store.load("toy", toy.where), toy)


@pytest.mark.parametrize("junk", JUNK)
def test_what_file_managers_leave_is_passed_over(toy: Source, junk: str) -> None:
    for path in folder.below(toy.folder, ".parquet"):
        left = path.parent / junk.format(path.name)
        left.parent.mkdir(exist_ok=True)
        left.write_bytes(b"\0\5\26\7")
    assert holds(store.load("toy", toy.where), toy)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("train-00000-of-00001.parquet", "train"),
        ("data/validation.parquet", "validation"),
        ("test/0000.parquet", "test"),
        ("train/dev-1.parquet", "validation"),
        ("latest/contest/0.parquet", "train"),
    ],
)
def test_the_part_of_a_file_stands_in_its_name_or_in_its_folders(path: str, part: str) -> None:
    from bench.data import hub

    assert hub._part_of(Path(path)) == part


def _dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("cleaned"))


def test_a_link_to_nothing_is_named_with_where_it_leads(toy: Source, tmp_path: Path) -> None:
    _dangle(toy.folder / "data" / "test-00000-of-00001.parquet")
    with pytest.raises(DataError, match=r"test-00000.*is a link to .*cleaned, which is not there; download it again"):
        store.load("toy", toy.where)
    assert cached(tmp_path) == []


def test_so_is_a_data_set_whose_folder_is_one(toy: Source) -> None:
    toy.folder.rename(toy.folder.with_name("moved"))
    toy.folder.symlink_to(toy.folder.with_name("gone"))
    with pytest.raises(DataError, match=r"toy is a link to .*gone, which is not there"):
        store.load("toy", toy.where)


def test_a_file_that_is_no_more_than_a_link_is_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(tmp_path / "gone")
    with pytest.raises(DataError, match=r"here is a link to .*gone, which is not there; download it again"):
        folder.has_file(tmp_path / "here")


def test_a_tilde_that_is_nobodys_home_is_a_name() -> None:
    assert folder.expanded("~nobody_of_that_name/data") == Path("~nobody_of_that_name/data")
    assert folder.expanded("~") == Path.home()


def test_a_session_says_once_why_its_cases_have_no_data(micro: pytest.Pytester, toy: Source) -> None:
    place = micro.path / "data" / "ylecun" / "mnist"
    place.mkdir(parents=True)
    (place / "train-00000-of-00001.parquet").symlink_to(place / "cleaned")
    result = micro.runpytest_inprocess("-k", "mnist and relu", "--data-dir", "data")
    assert result.parseoutcomes()["failed"] == 2
    failures = result.stdout.str().split("short test summary")[0]
    assert failures.count("which is not there") == 1
    assert failures.count("the same as micro-mlp-mnist-relu-sgd") == 1


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        real = Path.iterdir

        def iterdir(one: Path) -> object:
            if one == path:
                raise PermissionError(13, "Permission denied")
            return real(one)

        monkeypatch.setattr(Path, "iterdir", iterdir)

    return make


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, unreadable: Callable[[Path], None]) -> None:
    unreadable(tmp_path)
    for look in (folder.entries, lambda path: folder.below(path, ".parquet")):
        with pytest.raises(DataError, match=r"cannot list .*Permission denied"):
            look(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else for a while")
def test_a_folder_of_somebody_elses_is_named(tmp_path: Path) -> None:
    (tmp_path / "closed" / "data").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    os.seteuid(65534)
    try:
        for look in (folder.has_file, lambda path: folder.below(path, ".parquet")):
            with pytest.raises(DataError, match=r"cannot look at .*data: Permission denied; give a folder that can be"):
                look(tmp_path / "closed" / "data")
    finally:
        os.seteuid(0)
