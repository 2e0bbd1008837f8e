"""Tests of the plots of `python -m activations`: what is drawn, where curves are cut, and what is left out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import activations
from activations.__main__ import main

pytestmark = pytest.mark.usefixtures("scratch_registry")


@pytest.mark.parametrize("count", [1, 3, 8])
def test_a_plot_names_every_function(count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["relu", "gelu", "hard_elish", "elu", "selu", "silu", "mish", "tanh"][:count]
    file = tmp_path / "plot.svg"
    assert main([*names, "--plot", str(file)]) == 0
    assert str(file) in capsys.readouterr().out
    text = re.sub(r"<[^>]+>", " ", file.read_text())
    for name in names:
        assert activations.info(name).label in text


def test_the_same_plot_is_the_same_file(tmp_path: Path) -> None:
    for name in ("one.svg", "other.svg"):
        main(["relu", "elu", "--plot", str(tmp_path / name)])
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_a_png_is_a_picture_on_white(tmp_path: Path) -> None:
    file = tmp_path / "plot.png"
    assert main(["relu", "elu", "--plot", str(file)]) == 0
    from matplotlib import image

    picture = image.imread(file)
    assert picture.shape[1] > 1000
    assert (picture[0] == 1).all()
    assert len(np.unique(picture[..., :3].reshape(-1, 3), axis=0)) > 10


def test_a_derivative_is_not_joined_across_a_kink() -> None:
    from activations import _plot

    relu, elu = (_plot.drawn(activations.info(name), (-4.0, 4.0))[1] for name in ("relu", "elu"))
    assert [(arc.x[0], arc.x[-1]) for arc in relu] == [(-4, 0), (0, 4)]
    assert [np.unique(arc.slope.round(9)).tolist() for arc in relu] == [[0], [1]]
    assert len(elu) == 1


def test_a_plot_of_a_family_leaves_out_what_is_no_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--family", "self_gated", "--plot", str(tmp_path / "plot.png")]) == 0
    assert "left out, being no functions of one number: meta_acon" in capsys.readouterr().out


def test_a_users_function_is_plotted(mine: str, tmp_path: Path) -> None:
    assert main([mine, "--plot", str(tmp_path / "plot.svg"), "--window", "-2", "6"]) == 0
    assert "half_swish" in (tmp_path / "plot.svg").read_text()
