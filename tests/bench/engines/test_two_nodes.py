"""A cluster of two nodes on this machine, of one core each: nothing is lost or doubled, whatever dies.

ACTBENCH_KILLS says how often something is killed where that is random, and ACTBENCH_CASES how many cases of no work are
handed out.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data.locations import Locations
from bench.engines import EngineChoice, on_ray
from bench.engines.job import RunJob
from conftest import OF_THE_JOB
from made import record
from written import records_in

pytestmark = pytest.mark.slow
CASES = int(os.environ.get("ACTBENCH_CASES", "1000"))
KILLS = int(os.environ.get("ACTBENCH_KILLS", "20"))
RECIPE = Recipe(1, epochs=1, batch_size=64, learning_rate=1e-3, initialisation="kaiming", threads=1)
UNJUDGED = ("--baseline=ignore", "--device", "cpu")


@pytest.fixture(scope="module")
def cluster():
    """Two nodes that may be killed, and a head that runs nothing."""
    pytest.importorskip("ray")
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 2**27, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    for _ in range(2):
        made.add_node(num_cpus=1, object_store_memory=2**27)
    yield made
    made.shutdown()


def made_actor(folder: str, seconds: tuple[float, float] = (0.0, 0.0), slow_node: str = "") -> type:
    """One that trains nothing, and leaves a file named by its process; made here, it travels by value."""
    plain = record(0, 0.9).to_builtin()

    class Idler:
        def __init__(self, own, threads):
            import ray

            (self.pid, self.node) = os.getpid(), ray.get_runtime_context().get_node_id()
            Path(folder, str(self.pid)).touch()

        def ready(self):
            pass

        def do(self, fields):
            time.sleep(2.0 if self.node == slow_node else random.uniform(*seconds))
            return {**plain, "seed": fields["seed"], "case": fields["case"], "device_class": self.node}

    return Idler


def jobs_of(cases: int, seeds: int = 1) -> list[RunJob]:
    names = (Case("mlp", f"m{number}", "digits", "relu", "sgd") for number in range(cases))
    return [RunJob(case, RECIPE, "tiny", "auto", Locations(), seed) for case in names for seed in range(seeds)]


@pytest.fixture
def idlers(cluster, tmp_path, monkeypatch):
    """Starts an engine whose actors do nothing; what has ended, by key; and the folder of their processes."""
    started = []

    def start(jobs, **how):
        (tmp_path / "pids").mkdir()
        monkeypatch.setattr(on_ray.Ray, "actor", made_actor(str(tmp_path / "pids"), **how))
        ended = []
        engine = on_ray.Ray(
            EngineChoice("ray", cluster.address), jobs, lambda job, found: ended.append((job.key, found)), print
        )
        started.append(engine)
        return engine, ended, tmp_path / "pids"

    yield start
    for engine in started:
        engine.close()


def is_actor(pid: str, kind: str) -> bool:
    try:
        return Path("/proc", pid, "cmdline").read_bytes().startswith(f"ray::{kind}".encode())
    except OSError:
        return False


def test_a_session_finds_the_bits_of_this_process_and_takes_the_users_files_along(cluster, micro):
    micro.makepyfile(
        mine="import helper\n\n\ndef mine(x):\n    return helper.slope * x.relu()\n", helper="slope = 0.9\n"
    )
    chosen = ["--activation", "mine.py:mine,elu,relu", "-k", "digits and sgd", "--seeds", "2", *UNJUDGED]
    micro.runpytest_inprocess(*chosen, "--results-dir", "here").assert_outcomes(passed=3)
    there = micro.runpytest_inprocess(*chosen, "--results-dir", "there", "--engine", f"ray:{cluster.address}")
    there.assert_outcomes(passed=3)
    there.stdout.fnmatch_lines(["engine: ray, 3 nodes, 2 runs at a time of 1 CPU each"])

    def bits(folder):
        found = records_in(micro.path / folder)
        return {one["case"]["activation"] + str(one["seed"]): (one["digest"], one["fingerprint"]) for one in found}

    assert bits("here") == bits("there")
    assert len(bits("there")) == 6


def test_no_record_is_lost_or_doubled_when_processes_and_nodes_are_killed(cluster, idlers):
    jobs = jobs_of(cases=40, seeds=KILLS)
    engine, ended, pids = idlers(jobs, seconds=(0.02, 0.08))
    killed, over = Counter(), threading.Event()

    def kill():
        while killed["processes"] < KILLS * 2 // 3 and not over.wait(random.uniform(0.2, 1.0)):
            alive = [path.name for path in pids.iterdir() if is_actor(path.name, "Idler")]
            if alive:
                os.kill(int(random.choice(alive)), signal.SIGKILL)
                killed["processes"] += 1

    killer = threading.Thread(target=kill)
    start = time.monotonic()
    killer.start()
    cases = []
    while case := engine.completed(wait=True):
        cases.append(case)
        if len(cases) % 6 == 0 and killed["nodes"] < KILLS // 3:  # here: Ray starts nodes in the main thread alone
            cluster.remove_node(random.choice(list(cluster.worker_nodes)), allow_graceful=False)
            cluster.add_node(num_cpus=1, object_store_memory=2**27)
            killed["nodes"] += 1
    over.set()
    killer.join()
    print(
        f"killed {dict(killed)} in {time.monotonic() - start:.0f} s, {sum(engine._lost.values())} jobs were under way"
    )
    assert Counter(key for key, _ in ended) == Counter(job.key for job in jobs)
    assert Counter(cases) == Counter({job.case for job in jobs})
    assert Counter(engine.outcome(job).seed for job in jobs) == Counter(job.seed for job in jobs)
    assert sum(killed.values()) >= KILLS // 2


def test_a_slow_node_holds_up_no_job_but_its_own(cluster, idlers):
    slow = next(iter(cluster.worker_nodes)).node_id
    jobs = jobs_of(cases=60)
    engine, ended, _ = idlers(jobs, seconds=(0.1, 0.1), slow_node=slow)
    while engine.completed(wait=True):
        pass
    done = Counter(found.device_class == slow for _, found in ended)
    assert done[True] + done[False] == 60
    assert 1 <= done[True] <= 8


def test_what_the_session_spends_on_a_case_is_little(cluster, idlers):
    jobs = jobs_of(cases=CASES)
    engine, ended, _ = idlers(jobs)
    while not ended:
        engine.completed(wait=False)
    before, start, cpu = len(ended), time.monotonic(), time.process_time()
    while engine.completed(wait=True):
        pass
    done = len(ended) - before
    wall, spent = ((now - then) / done * 1000 for now, then in ((time.monotonic(), start), (time.process_time(), cpu)))
    print(f"{done} cases of no work: {wall:.2f} ms each, of which this process computes {spent:.2f} ms")
    assert spent < 5


def session(micro: pytest.Pytester, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "-k", "digits", "--seeds", "3", *UNJUDGED, *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in OF_THE_JOB}
    return subprocess.Popen(command, cwd=micro.path, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_session_that_is_killed_leaves_no_process_and_is_resumed(cluster, micro, how):
    engine = ("--engine", f"ray:{cluster.address}")
    runs = micro.path / "results" / "runs"
    killed = session(micro, *engine)
    while len(list(runs.glob("*.json"))) < 5:
        time.sleep(0.05)
        assert killed.poll() is None, "the session ended before it could be killed"
    os.kill(killed.pid, how)
    killed.wait()
    for _ in range(300):
        if not any(is_actor(path.name, "Actor") for path in Path("/proc").iterdir() if path.name.isdigit()):
            break
        time.sleep(0.1)
    else:
        pytest.fail("processes of the killed session are left")
    before = {path: path.stat().st_mtime_ns for path in runs.glob("*.json")}
    assert 5 <= len(before) < 36
    micro.runpytest_inprocess("-k", "digits", "--seeds", "3", *UNJUDGED, "--resume", *engine).assert_outcomes(passed=12)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list(runs.glob("*.json"))) == 36
