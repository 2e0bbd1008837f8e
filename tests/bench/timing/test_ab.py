"""`python -m bench ab`: what two commits timed in turn say, on made machines with the noise that real ones have."""

from __future__ import annotations

import itertools
import math
import random
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench import __main__
from bench.regression.worktrees import worktree
from bench.timing.ab import arms, comparison, items
from bench.timing.ab.arms import WarmItem
from bench.timing.ab.items import TimedEpoch
from bench.timing.kernels.kernel import Kernel
from made import one_line_error

ROOT = Path(__file__).parents[3]
APL, RELU = (Kernel(name, "float32", "cache", "forward_backward") for name in ("apl", "relu"))
EPOCH = TimedEpoch("apl")


class Machine:
    """It is shared: its speed drifts up to threefold, other people's jobs interrupt a tenth of the samples, and each
    process is faster or slower than the next by some per cent, by where its memory lies.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.taken = 0
        self.order: list[str] = []
        self.told: list[str] = []

    def seconds(self, cost: float, bias: float) -> float:
        self.taken += 1
        drift = 2 + math.sin(self.taken / 50)
        interrupted = 4.0 if self.random.random() < 0.1 else 1.0
        return cost * drift * interrupted * math.exp(bias + self.random.gauss(0, 0.05))


class MadeArm:
    def __init__(self, machine: Machine, name: str, cost: float, saved: int = 0, lacks: tuple = ()) -> None:
        self.machine, self.name, self.cost, self.saved, self.lacks = machine, name, cost, saved, lacks
        self.bias = machine.random.gauss(0, 0.03)

    def prepare(self, item) -> WarmItem:
        if item in self.lacks:
            raise LookupError(f"ValueError: unknown activation {item.activation!r}")
        return WarmItem(10, self.saved)

    def sample(self, loops: int) -> float:
        assert loops == 10
        self.machine.order.append(self.name)
        return self.machine.seconds(self.cost, self.bias)


def timed(factor=1.0, chosen=(APL, RELU, EPOCH), seed=0, saved=0, lacks=()):
    """What is found where head takes `factor` times as long."""
    machine = Machine(seed)

    @contextmanager
    def start():
        yield {
            "base": MadeArm(machine, "base", 1e-3, lacks=lacks),
            "head": MadeArm(machine, "head", factor * 1e-3, saved),
            "again": MadeArm(machine, "again", 1e-3),
        }

    return (*comparison.timed_in_turn(chosen, start, machine.told.append), machine)


def verdicts(*arguments, **more):
    return {one.verdict for one in timed(*arguments, **more)[0]}


def test_a_commit_is_not_slower_than_itself_on_a_machine_that_others_use():
    assert sum("REGRESSED" in verdicts(seed=seed) for seed in range(60)) <= 2


def test_a_commit_that_takes_a_third_longer_is_found_there():
    assert sum(verdicts(1.33, seed=seed) == {"REGRESSED"} for seed in range(20)) >= 18


def test_a_faster_one_is_told_and_does_not_fail():
    assert verdicts(0.5) == {"IMPROVED"}


@pytest.mark.parametrize(("saved", "verdict"), [(512, "REGRESSED"), (0, "WITHIN")])
def test_bytes_kept_for_backward_have_no_noise(saved, verdict):
    found, lacking, _ = timed(saved=saved, chosen=[APL])
    assert found[0].verdict == verdict
    assert ("keeps 512 bytes, before 0" in comparison.times_text(found, lacking)) == bool(saved)


def test_no_arm_follows_itself_and_each_is_as_often_behind_every_other():
    """An arm that follows itself finds its tensors in the cache: 6 per cent, where base alone did."""
    order = timed(chosen=[APL])[2].order
    pairs = list(itertools.pairwise(order))
    assert all(one != other for one, other in pairs)
    counts = [pairs.count(pair) for pair in itertools.permutations(("base", "head", "again"), 2)]
    assert max(counts) <= 2.5 * min(counts)
    assert len({order.count(name) for name in set(order)}) == 1


def test_only_what_looks_changed_is_timed_again_and_all_of_it_counts():
    (quiet, _, _), (loud, _, machine) = (timed(factor, chosen=[APL]) for factor in (1.0, 1.5))
    assert (len(quiet[0].blocks), len(loud[0].blocks)) == (comparison.BLOCKS, 2 * comparison.BLOCKS)
    assert machine.told[0] == "block 1 of 5: 1 item"
    assert machine.told[-1] == "block 5 of 5: 1 item once more, since they look changed"


def test_what_a_commit_lacks_is_named_and_the_others_are_timed():
    found, lacking, _ = timed(lacks=(EPOCH,))
    text = comparison.times_text(found, lacking)
    assert {one.item for one in found} == {APL, RELU}
    assert "not compared: epoch-cnn-apl: base lacks it: ValueError: unknown activation 'apl'" in text


def test_the_table_has_both_ratios_with_their_spread_and_what_they_could_have_shown():
    text = comparison.times_text(*timed(1.5, chosen=[APL])[:2])
    heading, _, row = text.splitlines()[:3]
    assert heading.split("  ")[0] == "timed"
    for column in ("base", "head", "head / base", "base / base", "shows", "verdict"):
        assert column in heading
    assert row.startswith("apl-float32-cache-forward_backward  ")
    assert row.endswith("REGRESSED")


def test_words_select_exactly_and_a_named_activation_need_not_be_in_the_catalogue():
    assert {one.activation for one in items.select("elu")} == {"elu"}
    assert [one.id for one in items.select("golu and epoch")] == ["epoch-cnn-golu"]
    assert [one.id for one in items.select("apl and float32 and cache and forward")] == ["apl-float32-cache-forward"]
    usual = {one.id for one in items.select(items.USUAL)}
    assert {"relu-float32-cache-forward_backward", "epoch-cnn-relu"} < usual
    assert not [name for name in usual if "memory" in name]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ab HEAD HEAD -k nosuch", "-k nosuch selects none of"),
        ("ab HEAD HEAD -k (", "-k (: "),
        ("ab nosuchcommit HEAD -k relu", "git rev-parse --verify: "),
        ("bisect nosuchcommit HEAD -k relu", "git rev-parse --verify: "),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_line(line, said, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert said in one_line_error(__main__.main, line, capsys)


@pytest.mark.parametrize(
    ("factor", "lacks", "code"), [(1.0, "", 0), (2.0, "", 1), (0.5, "", 0), (1.0, "head", 1), (1.0, "base", 2)]
)
def test_slower_is_exit_code_1_and_so_is_gone_and_what_only_head_has_cannot_be_compared(
    factor, lacks, code, monkeypatch, capsys
):
    @contextmanager
    def tree(repository, commit):
        yield Path(commit)

    @contextmanager
    def start(base, head, device):
        machine = Machine(1)
        costs = {"base": 1.0, "head": factor, "again": 1.0}
        gone = {lacks: items.select("apl")}
        yield {name: MadeArm(machine, name, cost * 1e-3, lacks=gone.get(name, ())) for name, cost in costs.items()}

    monkeypatch.setattr(comparison, "worktree", tree)
    monkeypatch.setattr(arms, "started", start)
    assert __main__.main(["ab", "v1", "v2", "-k", "apl and float32 and cache"]) == code
    out, err = capsys.readouterr()
    assert "apl-float32-cache-forward" in (err if code == 2 else out)


def test_a_work_tree_is_gone_when_it_is_done_with(tmp_path):
    def git(*arguments):
        own = ["-c", "user.name=me", "-c", "user.email=me@here"]
        return subprocess.run(
            ["git", *own, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q")
    for text in ("one", "two"):
        (tmp_path / "file").write_text(text)
        git("add", "file")
        git("commit", "-qm", text)
    with worktree(tmp_path, "HEAD~1") as old, worktree(tmp_path, "HEAD") as new:
        assert [(tree / "file").read_text() for tree in (old, new)] == ["one", "two"]
    assert not old.exists()
    assert git("worktree", "list").count("\n") == 1


@pytest.mark.slow
@pytest.mark.fresh_process
def test_processes_time_what_they_are_told_and_a_tree_that_cannot_is_named(tmp_path):
    with arms.started(ROOT, ROOT, "cpu") as three:
        for item, saved in ((RELU, 2**16 * 4), (EPOCH, 0)):
            warm = [arm.prepare(item) for arm in three.values()]
            assert {one.bytes_saved for one in warm} == {saved}
            assert all(0 < arm.sample(warm[0].loops) < 10 for arm in three.values())
        with pytest.raises(LookupError, match="nosuch"):
            three["head"].prepare(TimedEpoch("nosuch"))
    with (
        arms.started(ROOT, tmp_path, "cpu") as three,
        pytest.raises(ValueError, match="cannot be timed: there is no package"),
    ):
        three["head"].prepare(RELU)
