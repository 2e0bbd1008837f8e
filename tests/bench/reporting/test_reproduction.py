"""`python -m bench reproduce`: every number of the documents, answered by what was measured, at the largest scale."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bench import __main__, experiments
from bench.cases.case import AXES, Case
from bench.records import baseline, reported
from bench.records.reported import ReportedCell
from bench.reporting import reproduction
from bench.reporting.plan.cost import Costs
from bench.reporting.plan.estimate import estimated
from bench.reporting.reproduction import hours, markdown, orders, tables
from command_lines import one_line_error
from made import runs_of_case

PAGE = Path(__file__).parents[3] / ".github" / "REPRODUCTION.md"
SLIDES = "000_a4fc070b01c658f7.txt"
LUCK = np.array([-0.01, 0.0, 0.01, 0.005, -0.005])


def reported_cells(*pairs, experiment="cnn", model="cnn", dataset="cifar10", optimizer="adam", variant=""):
    return [
        ReportedCell(SLIDES, Case(experiment, model, dataset, name, optimizer, variant), "test_accuracy", value)
        for name, value in pairs
    ]


def measured(name, mean, scale="small", variant="", noise=0.0, **more):
    axes = {"experiment": "cnn", "model": "cnn", "dataset": "cifar10", "optimizer": "adam"}
    axes |= {axis: more.pop(axis) for axis in list(axes) if axis in more}
    case = Case(activation=name, variant=variant, **axes)
    own = np.random.default_rng(len(name)).normal(0, noise, len(LUCK))
    return runs_of_case(case, {"test_accuracy": mean + LUCK + own, "validation_accuracy": mean + LUCK}, scale, **more)


def only_table(cells, cases):
    (table,) = tables.reported_tables(cells, cases)
    return table


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def plain(text: str) -> str:
    """With spaces at which lines may break, and without those that align the columns."""
    return re.sub(r" +", " ", text.replace("\N{NO-BREAK SPACE}", " "))


def test_the_committed_page_is_what_the_baselines_say_today(page):
    now, said = reproduction.page(baseline.FOLDER)
    assert now == page, f"`{markdown.COMMAND}` makes it anew: {said}"


def test_no_reported_number_is_left_out(page):
    found = [cell.reported for table in reproduction.tables_of(baseline.FOLDER) for cell in table.cells]
    assert sorted(map(repr, found)) == sorted(map(repr, reported.cells(baseline.FOLDER)))
    assert f"of {len(found)} cells measured" in page


def test_every_link_of_the_contents_leads_to_a_table(page):
    assert (links := re.findall(r"\]\(#([^)]+)\)", page))
    assert links == re.findall(r'<a id="([^"]+)">', page)


def test_on_the_page_every_copy_is_called_one_and_what_is_missing_says_what_it_takes(page):
    small, unmeasured = (plain(page).split(f'<a id="{name}">')[1].split("<a id")[0] for name in SHOWN)
    assert small.count("small, JPEG-75 copy, CPU") == 15
    assert re.search(r"needs a GPU: [\d.]+ hours\*\* on one NVIDIA H100", unmeasured)


SHOWN = ("cnn-cnn-cifar10-adam", "rates-densenet121-cifar10-adam-lr1")


def test_a_cell_is_answered_at_the_largest_scale_that_has_runs():
    cells = reported_cells(("elu", 0.6), ("relu", 0.5))
    cases = [measured("elu", 0.6, scale) for scale in ("tiny", "paper", "small")] + [measured("relu", 0.5, "tiny")]
    table = only_table(cells, cases)
    assert [cell.scale for cell in table.cells] == ["paper", "tiny"]
    assert (table.measured(), table.measured("paper"), table.measured("small")) == (2, 1, 0)
    assert orders.orders_of(table) == dict.fromkeys(cells, "–")  # of two scales nothing compares


def test_the_original_data_come_before_a_copy_and_a_stand_in_is_named():
    cells = reported_cells(("elu", 0.6))
    copy, original = measured("elu", 0.5, data_hash="8a5ff0d6749a7c94"), measured("elu", 0.6, data_hash="1")
    (cell,) = only_table(cells, [copy, original]).cells
    assert cell.runs.key.data_hash == "1"
    digits = measured("elu", 0.9, "tiny", dataset="digits")
    text = plain(markdown.render(tables.reported_tables(cells, [digits]), {}))
    assert "| tiny, digits, CPU |" in text
    assert markdown.AT_TINY in text


def test_figures_on_a_stand_in_beyond_tiny_are_said_not_to_compare():
    place = {"experiment": "timit", "model": "timit_mlp"}
    cells = reported_cells(("elu", 0.7), dataset="timit", **place)
    said = "On made speech in the place of TIMIT: orders may be compared, figures not."
    for dataset, times in (("made_speech", 1), ("timit", 0)):
        found = tables.reported_tables(cells, [measured("elu", 0.87, dataset=dataset, **place)])
        assert markdown.render(found, {}).count(said) == times


def test_of_a_search_over_rates_the_one_that_validation_chose_is_shown():
    place = {"experiment": "pos", "model": "tagger", "dataset": "twitter_pos"}
    cells = reported_cells(("gelu", 0.87), **place)
    first = measured("gelu", 0.8, **place)
    better = measured("gelu", 0.85, variant="lr0.0001", learning_rate=1e-4, **place)
    table = only_table(cells, [first, better])
    assert table.cells[0].runs.case == better.case
    assert "| small, lr0.0001, CPU |" in plain(markdown.render([table], {}))
    assert len(table.cases) == 3  # at `paper` it takes all three rates


def test_a_final_training_without_validation_is_the_answer_itself():
    place = {"experiment": "gelu_cnn", "model": "gelu_cnn"}
    final = measured("gelu", 0.8, validation_size=0, **place)
    search = measured("gelu", 0.9, variant="lr0.001", **place)
    assert only_table(reported_cells(("gelu", 0.9), **place), [search, final]).cells[0].runs.case == final.case


def test_orders_are_told_only_where_the_runs_tell_them():
    cells = reported_cells(("elu", 0.7), ("selu", 0.6), ("relu", 0.5), ("tanh", 0.4))
    cases = [measured(name, mean, noise=1e-4) for name, mean in (("elu", 0.5), ("selu", 0.7), ("relu", 0.4))]
    said = orders.orders_of(only_table(cells, [*cases, measured("tanh", 0.4, noise=0.4)]))
    assert [said[cell].partition(",")[0] for cell in cells[:3]] == ["yes 1", "yes 1", "yes 2"]
    assert "no 1" in said[cells[0]]
    assert "tied 1" in said[cells[2]]


def test_losses_and_equal_figures_are_compared_in_their_own_direction():
    names = {"elu": 0.1, "relu": 0.2, "tanh": 0.2}
    cells = [
        ReportedCell(SLIDES, Case("cnn", "cnn", "mnist", name, "sgd"), "test_loss", v) for name, v in names.items()
    ]
    cases = [
        runs_of_case(cell.case, {"test_loss": height + LUCK * (1 + 0.01 * height)}, metric="test_loss")
        for cell, height in zip(cells, (1.0, 2.0, 3.0), strict=True)
    ]
    assert list(orders.orders_of(only_table(cells, cases)).values()) == ["yes", "yes 1, tied 1", "yes 1, tied 1"]


def test_an_interval_of_a_correlation_takes_five_runs():
    cells = reported_cells(("elu", 0.7), ("selu", 0.6), ("relu", 0.5))
    cases = [measured(name, value) for name, value in (("elu", 0.5), ("selu", 0.7), ("relu", 0.4))]
    (line,) = orders.correlations(only_table(cells, cases))
    assert "Kendall's tau +0.33 [" in line
    few = [runs_of_case(one.case, {"test_accuracy": one.values[:3]}, "small") for one in cases]
    (line,) = orders.correlations(only_table(cells, few))
    assert "Kendall's tau +0.33 over 3 cells" in line


def test_hours_that_were_not_counted_are_not_made_up():
    cells = reported_cells(("elu", 0.7))
    assert "python -m bench reproduce --plan" in markdown.render(tables.reported_tables(cells, []), {})
    assert "**needs a GPU: 12 hours**" in markdown.render(tables.reported_tables(cells, []), {cells[0].case: 12.0})


def test_hours_of_an_older_recipe_do_not_count(tmp_path):
    case = Case("cnn", "cnn", "mnist", "relu", "adam")
    version = experiments.recipe_of(case, "paper").version
    head = ",".join(hours.COLUMNS)
    for number, known in ((version, {case: 1.5}), (version + 1, {})):
        (tmp_path / hours.FILE).write_text(f"{head}\ncnn,cnn,mnist,relu,adam,,{number},NVIDIA H100,3,1.5\n")
        assert hours.read(tmp_path) == known


def test_all_tables_of_the_documents_have_their_hours():
    planned = hours.read(baseline.FOLDER)
    assert [
        case.id for table in reproduction.tables_of(baseline.FOLDER) for case in table.cases if case not in planned
    ] == []


def test_hours_are_those_that_the_plan_counts_today(tmp_path):
    case = Case("cnn", "cnn", "cifar10", "relu", "adam")
    hours.write([case], tmp_path, lambda line: None)
    recipe = experiments.recipe_of(case, "paper")
    counted = estimated(case, recipe, recipe.seeds, [hours.DEVICE], Costs()).hours[hours.DEVICE]
    assert hours.read(tmp_path)[case] == pytest.approx(counted, rel=0.05)
    assert hours.read(baseline.FOLDER)[case] == pytest.approx(counted, rel=0.25)


def test_the_command_writes_the_page_and_says_how_much_is_measured(tmp_path, capsys):
    row = "slides,cnn,cnn,mnist,elu,adam,,,test_accuracy,0.98,1,,\n"
    (tmp_path / "reported.csv").write_text(
        "source," + ",".join(AXES) + ",learning_rate,metric,value,runs,aggregate,note\n" + row
    )
    assert __main__.main(["reproduce", "--baseline-dir", str(tmp_path), "--to", str(tmp_path / "page.md")]) == 0
    assert capsys.readouterr().out.endswith("page.md: 0 of 1 cells measured: none at any scale\n")
    assert (tmp_path / "page.md").read_text(encoding="utf-8").startswith("# What the documents report")


def test_without_anything_reported_it_says_where_it_looked(tmp_path, capsys):
    said = one_line_error(__main__.main, f"reproduce --baseline-dir {tmp_path}", capsys)
    assert "reported.csv" in said
