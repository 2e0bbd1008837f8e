"""`python -m bench.data`: what there is and whether it is at hand, the picture, and errors of one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.data import DATASETS, store
from bench.data.__main__ import main
from made import one_line_error
from made_data import Source


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder of its own, and no data by the environment."""
    monkeypatch.delenv("ACTBENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


def states(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """What the last column says of each data set."""
    assert main(arguments) == 0
    _, _, *rows = capsys.readouterr().out.splitlines()
    return {row.split()[0]: row.split("  ")[-1].strip() for row in rows}


def test_every_data_set_has_its_row_and_nothing_is_fetched_to_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    found = states(capsys)
    assert list(found) == list(DATASETS)
    assert {found[name] for name in ("digits", "made_speech")} == {"yes"}
    assert {found[name] for name in ("twitter_pos", "timit")} == {"no"}
    assert {found[name] for name, entry in DATASETS.items() if entry.hub} == {"from the hub"}


def test_every_data_set_says_where_it_is_from() -> None:
    assert all(bool(entry.hub) != bool(entry.origin) for entry in DATASETS.values())


def test_what_a_folder_holds_is_at_hand_and_what_it_lacks_is_not(
    toy: Source, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = states(capsys, "--data-dir", str(toy.data_dir))
    assert (found["toy"], found["mnist"], found["digits"]) == ("yes", "no", "yes")
    monkeypatch.setenv("ACTBENCH_DATA", str(toy.data_dir))
    assert states(capsys) == found


def test_what_was_decoded_from_the_hub_is_at_hand(capsys: pytest.CaptureFixture[str]) -> None:
    store.cache_folder().mkdir()
    store.place("mnist", "hub").touch()
    found = states(capsys)
    assert (found["mnist"], found["cifar10"]) == ("yes", "from the hub")


def test_one_that_is_not_at_hand_says_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timit"]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 5
    assert "give the folder of your own copy" in out


def test_a_picture_is_drawn_at_the_documents_peaks_or_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.data import picture

    asked = []
    draw = picture.draw_corruption
    monkeypatch.setattr(picture, "draw_corruption", lambda dataset, psis: asked.append([*psis]) or draw(dataset, psis))
    assert main(["digits", "--plot", "a.png"]) == 0
    assert main(["digits", "--plot", "b.svg", "--psi", "4,128"]) == 0
    assert asked == [[8, 16, 32, 64], [4, 128]]
    assert capsys.readouterr().out == "wrote a.png\nwrote b.svg\n"
    assert Path("a.png").stat().st_size > 5000
    assert Path("b.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("minst", "unknown dataset 'minst'; known: digits, mnist"),
        ("made_speech --plot a.png", "made_speech holds frames, not images to draw; these do: digits, mnist"),
        ("mnist --plot a.png --data-dir away", "MNIST is not in away/ylecun/mnist"),
        ("digits --plot a.txt", "its suffix must be one of .png, .svg, .pdf"),
        ("digits --plot away/a.png", "cannot write away/a.png"),
        ("digits --plot a.png --psi 8,0", "'8,0' is not a list of whole numbers above 0"),
        ("digits --plot a.png --psi eight", "'eight' is not a list of whole numbers above 0"),
        ("digits --psi 8", "--psi needs --plot FILE"),
        ("--plot a.png", "--plot needs the name of a data set"),
    ],
)
def test_an_error_is_one_line_that_names_offender_and_remedy(
    line: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    err = one_line_error(main, line, capsys)
    assert err.startswith("python -m bench.data: ")
    assert named in err
