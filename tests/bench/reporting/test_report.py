"""The report without a browser: what is merged, what is kept of a session, what is escaped, what bad input says."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from matplotlib.figure import Figure

from bench import __main__
from bench.cases.case import Case
from bench.display import figures
from bench.records import baseline, history, record
from bench.records.baseline import Baseline
from bench.records.case_runs import CaseRuns, from_records
from bench.records.record import ResultsError
from bench.reporting.page import axis, html, pictures, sources
from bench.reporting.page.grid import Cell, Grid
from bench.reporting.views import VIEWS, View
from bench.timing.kernels import timings
from bench.timing.kernels.kernel import Kernel
from bench.timing.kernels.measurement import Measurement
from conftest import MICRO
from made import one_line_error, ranked
from made_page import COMMAND, NASTY, folder, results, runs_of


class Page(HTMLParser):
    """Ids, links and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.scripts += tag == "script"
        self.ids += [named["id"]] if "id" in named else []
        self.links += [value for name, value in attributes if name in ("href", "xlink:href", "src")]
        self.links += re.findall(r"url\((#[^)]+)\)", " ".join(value or "" for value in named.values()))


@pytest.fixture(scope="module")
def text(session_page) -> str:
    return session_page.read_text(encoding="utf-8")


@pytest.fixture
def without_views(monkeypatch):
    """The page without what takes long to draw."""
    monkeypatch.setattr(html, "VIEWS", {})


def test_it_loads_nothing_from_elsewhere(text):
    assert [link for link in Page(text).links if not link.startswith(("#", "data:"))] == []
    assert "http" not in re.sub(r"http://www\.w3\.org/[^\"]*", "", re.sub(r"<svg.*?>", "", text, flags=re.DOTALL))


def test_ids_are_unique_and_all_links_resolve(text):
    found = Page(text)
    assert [name for name, count in Counter(found.ids).items() if count > 1] == []
    assert {link[1:] for link in found.links if link.startswith("#")} - set(found.ids) == set()
    assert "case-cnn-cnn-mnist-relu-sgd" in found.ids


def test_it_begins_with_three_sentences_on_which_activation_to_take_each_with_its_evidence(text):
    first = text.split('<section id="summary">')[1].split("</section>")[0]
    said = re.findall(r'<p class="advice"><b>([^<]+):</b>(.*?)</p>', first, re.DOTALL)
    assert [title for title, _ in said][1:] == ["Avoid", "Matters more than the activation"]
    assert 'href="#ranking"' in said[0][1]


def test_messages_and_reasons_are_escaped(text):
    assert NASTY not in text
    assert text.count("&lt;script&gt;document.title") >= 2
    assert Page(text).scripts == 3  # the theme, the data and the page's own


def test_a_failure_is_shown_with_its_commands(text):
    assert "1 of 12 cases fail" in text
    for word in ("--seeds 3", "--record"):
        assert f"<code>{COMMAND} {word}</code>" in text


def test_every_view_is_shown_or_named_with_what_it_takes(text):
    for name, view in VIEWS.items():
        assert f'<section id="{name}">' in text or view.needs in text.replace("&#39;", "'")


def test_an_activation_far_below_is_drawn_at_the_edge():
    block = ranked(*[one for one in results() if one.case.optimizer == "sgd"])[0]
    shared = axis.block_axis(block)
    dots = {row.activation: shared.dots(row) for row in block.rows}
    assert dots["sigmoid"].outside == "left"
    assert not any(one.outside for name, one in dots.items() if name != "sigmoid")
    assert dots["relu"].middle < dots["elu"].middle < dots["silu"].middle
    assert all(0 <= one.low <= one.middle <= one.high <= 100 for one in dots.values())


def blocks_of(*experiments: str) -> list[CaseRuns]:
    """Eight blocks an experiment, too many for one picture of all."""
    cases = [
        Case(name, model, "mnist", "relu", optimizer)
        for name in experiments
        for model in ("cnn", "mlp", "rnn", "wrn")
        for optimizer in ("sgd", "adam")
    ]
    return from_records([one for case in cases for one in runs_of(case, 0.8)], {})


def test_every_block_is_in_a_picture_though_one_cannot_hold_them_all(monkeypatch):
    monkeypatch.setattr(figures, "MOST_PANELS", 16)
    found = blocks_of("cnn", "mlp")
    with pytest.raises(ValueError, match="more than a picture holds"), figures.style():
        VIEWS["curves"].figure(found)
    with figures.style():
        drawn, refused = pictures.view_pictures("curves", VIEWS["curves"], found)
    shown = "".join(one.markup for one in drawn)
    assert [one.title() for one in found if one.title() not in shown] == []
    assert refused == []
    assert {one.caption.split(" · ")[1] for one in drawn} == {"cnn", "mlp"}


def test_a_picture_that_only_the_whole_can_show_stays_whole_however_tall():
    def figure(observations):
        return Figure(figsize=(4, 40)) if len({one.case.experiment for one in observations}) > 1 else None

    drawn, _ = pictures.view_pictures(
        "agreement", View("agreement", "two experiments", lambda _: [], figure), blocks_of("cnn", "mlp")
    )
    assert [one.caption for one in drawn] == ["agreement · mnist"]


def test_more_pictures_than_a_page_holds_are_left_out_and_said_so(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_INCHES", 1.0)
    shown = View("two of them", "nothing", lambda _: [], lambda _: Figure(figsize=(2, 2)))
    every, _ = pictures.view_pictures("small", shown, blocks_of("cnn", "mlp"))
    monkeypatch.setattr(pictures, "MOST_OF_A_VIEW", 1)
    first, refused = pictures.view_pictures("small", shown, blocks_of("cnn", "mlp"))
    assert (len(every), len(first)) == (16, 1)
    assert refused == ["the page would grow too large with more; python -m bench small --plot small.svg draws any"]


@pytest.mark.parametrize(
    ("texts", "numeric"),
    [
        (["97.04 ± 0.85", "–", ""], True),
        (["1–3", "4"], True),
        (["20 (2 collapsed)", "20"], True),
        (["10 % [1, 44]"], True),
        (["-1.5e-05"], True),
        (["0–19"], True),
        (["relu", "1"], False),
        (["9fe235ca"], False),
        (["–"], False),
    ],
)
def test_columns_of_figures_are_known_as_such(texts, numeric):
    assert ("a" in Grid("", {"a": [Cell(one) for one in texts]}).numeric) is numeric


def test_verdicts_come_back_from_the_history_as_they_were_said(tmp_path):
    made = results()
    history.append(made, tmp_path)
    found = history.latest(history.read(tmp_path)).values()
    said = [(one.case, one.verdict, one.reason, one.failed, one.message) for one in made]
    assert [(one.case, one.verdict, one.reason, one.failed, one.message) for one in found] == said


def test_the_later_verdict_wins_in_whatever_order_folders_are_given(tmp_path):
    old = results()[0]
    later = [replace(one, date="2026-11-23T00:00:00+00:00") for one in old.records]
    new = replace(old, records=tuple(later), verdict="SAME", failed=False, message="")
    for name, one in (("old", old), ("new", new)):
        for run in one.records:
            record.save(run, tmp_path / name)
        history.append([one], tmp_path / name)
    for names in (("old", "new"), ("new", "old")):
        found = sources.merged([tmp_path / name for name in names], baseline.FOLDER)
        assert [one.verdict for one in found.verdicts.values()] == ["SAME"]
        assert {run.date for runs in found.records.values() for run in runs} == {later[0].date}


def test_a_session_that_resumes_with_fewer_seeds_says_the_last_word(tmp_path):
    failed = results()[0]
    runs = [replace(one, date=f"2026-11-2{day}T00:00:00+00:00") for day, one in enumerate(failed.records)]
    history.append([replace(failed, records=tuple(runs), verdict="REGRESSED", failed=True)], tmp_path)
    history.append([replace(failed, records=tuple(runs[:1]), verdict="SAME", failed=False)], tmp_path)
    assert [one.verdict for one in history.latest(history.read(tmp_path)).values()] == ["SAME"]


def test_folders_are_merged_by_case_and_seed(tmp_path):
    runs = runs_of(results()[0].case, 0.8, seeds=4)
    for name, share in (("one", runs[:3]), ("two", runs[2:])):
        for one in share:
            record.save(one, tmp_path / name)
    found = sources.merged([tmp_path / "one", tmp_path / "two"], baseline.FOLDER)
    assert [one.seeds for one in found.observations] == [(0, 1, 2, 3)]
    assert found.notes == []


@pytest.mark.parametrize(("change", "said"), [({}, True), ({"fingerprint": {"torch": "other"}}, False)])
def test_other_bits_under_an_equal_fingerprint_are_said(tmp_path, change, said):
    run = runs_of(results()[0].case, 0.8, seeds=1)[0]
    record.save(run, tmp_path / "one")
    record.save(replace(run, digest="other", **change), tmp_path / "two")
    found = sources.merged([tmp_path / "one", tmp_path / "two"], baseline.FOLDER)
    assert bool(found.notes) is said
    if said:
        assert "cnn-cnn-mnist-relu-sgd seed 0 (000000000000, other)" in found.notes[0]


def test_verdicts_that_do_not_belong_to_the_runs_are_said(without_views, tmp_path):
    made = folder(tmp_path)
    other = runs_of(replace(results()[0].case, activation="tanh"), 0.8)
    later = replace(results()[1].records[0], seed=7, date="2026-11-23T00:00:00+00:00")
    for run in (*other, later):
        record.save(run, made)
    text = html.render(sources.merged([made], baseline.FOLDER))
    assert "1 of 13 cases have no verdict" in text
    assert "1 verdicts are older than the latest runs" in text


@pytest.mark.parametrize(("verdict", "said"), [("SAME", "Nothing broke"), ("IGNORED", "Nothing was judged")])
def test_what_was_not_judged_is_not_called_sound(without_views, verdict, said):
    made = [replace(one, verdict=verdict, failed=False) for one in results()[:2]]
    text = html.render(sources.of_session(made, [], baseline.FOLDER))
    assert [word for word in ("Nothing broke", "Nothing was judged") if word in text] == [said]


def test_what_would_fail_but_for_its_quarantine_wants_an_eye(without_views):
    spared = replace(results()[0], failed=False, quarantine="flaky", reason="in quarantine until 2999-12-31: flaky")
    text = html.render(sources.of_session([spared], [], baseline.FOLDER))
    assert "in quarantine until 2999-12-31: flaky" in text.partition("Passed, and worth a look")[2]


def test_an_activation_that_only_its_session_knew_is_shown(without_views, tmp_path):
    for one in runs_of(replace(results()[0].case, activation="my_act"), 0.8):
        record.save(one, tmp_path)
    assert "case-cnn-cnn-mnist-my_act-sgd" in html.render(sources.merged([tmp_path], baseline.FOLDER))


def test_recorded_baselines_alone_make_a_page(tmp_path):
    baseline.write([Baseline.of(one.records) for one in results()], tmp_path)
    found = sources.merged([], tmp_path)
    assert len(found.observations) == len(found.baselines) == 12
    assert "Nothing was judged: recorded baselines alone" in html.render(found)


def test_timings_of_a_session_come_back_and_are_shown(without_views, tmp_path):
    kernel = Kernel("silu", "float32", "cache", "forward")
    one = timings.TimedKernel(Measurement(kernel, "cpu", NASTY, "2.14", 1, 10, 1e-5, 2.5, 0.01, 3.5, 8, 0), "NEW")
    timings.write_timings([one], tmp_path)
    assert timings.read_timings(tmp_path) == [one]
    text = html.render(sources.merged([tmp_path], baseline.FOLDER))
    assert "this session" in text
    assert "2.50 ± 1%" in text
    assert NASTY not in text


@pytest.mark.parametrize("file", [history.FILE, timings.FILE])
def test_a_line_that_is_none_is_named(tmp_path, file):
    made = folder(tmp_path / "results")
    with (made / file).open("a") as written:
        written.write("{}\n")
    with pytest.raises(ResultsError, match=rf"{file}, line \d+ is not .*; delete the line"):
        sources.merged([made], baseline.FOLDER)


def test_a_folder_without_records_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "no records in nowhere/runs; make some with" in one_line_error(__main__.main, "report nowhere", capsys)


def test_a_place_that_cannot_be_written_is_named(without_views, tmp_path, capsys, monkeypatch):
    folder(tmp_path / "results")
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    error = one_line_error(__main__.main, "report results --to file", capsys)
    assert "cannot write file/index.html" in error


def test_a_session_writes_its_page_and_its_verdicts(micro):
    micro.makepyfile(test_micro=MICRO.replace('name="micro",', 'name="micro",\n    views=("curves",),'))
    options = ("--activation", "relu,elu", "--dataset", "digits", "--optimizer", "adam", "--results-dir", "out")
    result = micro.runpytest_inprocess("-q", "-p", "no:cacheprovider", *options, "--report", "page")
    result.stdout.fnmatch_lines(["written to *page/index.html"])
    text = (micro.path / "page" / "index.html").read_text(encoding="utf-8")
    assert "case-micro-mlp-digits-elu-adam" in Page(text).ids
    assert '<section id="curves">' in text
    assert {one.verdict for one in history.read(micro.path / "out")} == {"NEW"}
