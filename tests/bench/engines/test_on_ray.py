"""What is handed to a cluster, in which order, and what becomes of it when its processes die: on a Ray that is made."""

from __future__ import annotations

import sys
from collections import defaultdict
from fnmatch import fnmatch
from types import SimpleNamespace

import pytest

from bench.cases.case import Case
from bench.cases.recipe import Recipe
from bench.data import DataError
from bench.data.locations import Locations
from bench.engines import EngineChoice, RunLostError, on_ray, shipping
from bench.engines.job import RunJob
from bench.records import code
from made import record

RECIPE = Recipe(1, epochs=1, batch_size=64, learning_rate=1e-3, initialisation="kaiming", threads=1)
PLAIN = EngineChoice("ray")


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause):
        super().__init__("a traceback")
        self.cause = cause


class MadeRay:
    """Ray's calls that are used, in this process: the answer that was asked for first comes first."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, nodes, does):
        self.on_nodes, self.does, self.started, self.answers = nodes, does, 0, {}

    def remote(self, kind):
        return SimpleNamespace(options=lambda **options: SimpleNamespace(remote=self.start))

    def start(self, own, threads):
        self.started += 1
        return MadeActor(self, self.started)

    def nodes(self):
        return [{"Alive": True, "Resources": node} for node in self.on_nodes]

    def wait(self, answers, num_returns=1, timeout=None):
        up = [one for one in answers if one[1] != "ready" or one[0].number <= sum(n["CPU"] for n in self.on_nodes)]
        return up[:1], []

    def get(self, answer):
        return self.does(*answer)

    def kill(self, actor):
        pass

    def shutdown(self):
        pass


class MadeActor:
    def __init__(self, ray, number):
        self.number = number
        self.ready = SimpleNamespace(remote=lambda: (self, "ready", 0))
        self.do = SimpleNamespace(remote=lambda fields: (self, fields["case"]["activation"], fields["seed"]))


def job(name: str, seed: int = 0, device: str = "auto", threads: int | None = 1) -> RunJob:
    recipe = Recipe(**{**RECIPE.fields, "threads": threads})
    return RunJob(Case("mlp", "mlp", "digits", name, "sgd"), recipe, "tiny", device, Locations(), seed)


def answer(actor, name, seed):
    return None if name == "ready" else record(seed, 0.9, case=Case("mlp", "mlp", "digits", name, "sgd")).to_builtin()


@pytest.fixture
def cluster(monkeypatch):
    """An engine on made nodes, and the names of the jobs that have been done in their order."""

    def made(jobs, does=answer, nodes=({"CPU": 2.0},), choice=PLAIN):
        done = []
        monkeypatch.setattr(on_ray, "stage", lambda jobs, folder: shipping.OwnFiles((), ()))
        monkeypatch.setattr(on_ray, "_connected", lambda address, folder: MadeRay(nodes, does))
        engine = on_ray.Ray(choice, jobs, lambda job, found: done.append(f"{job.case.activation}{job.seed}"), print)
        return engine, done

    return made


def test_jobs_are_done_in_their_order_and_later_ones_first(cluster):
    jobs = [job(name, seed) for name in ("relu", "elu", "gelu") for seed in (0, 1)]
    engine, done = cluster(jobs, nodes=[{"CPU": 1.0}])
    engine.outcome(jobs[0])
    later = [job("relu", 7), job("relu", 8)]
    engine.submit(later)
    while engine.completed(wait=True):
        pass
    assert done[0] == "relu0"
    assert done[2:4] == ["relu7", "relu8"]
    assert sorted(done) == sorted(f"{one.case.activation}{one.seed}" for one in (*jobs, *later))


def test_a_job_that_was_asked_for_is_not_asked_for_twice(cluster):
    jobs = [job("relu"), job("elu")]
    engine, done = cluster(jobs)
    engine.submit(jobs)
    assert [engine.outcome(one).seed for one in jobs] == [0, 0]
    assert sorted(done) == ["elu0", "relu0"]
    engine.outcome(jobs[0])  # by an item that runs again
    assert sorted(done) == ["elu0", "relu0", "relu0"]


def test_a_case_is_complete_when_all_of_its_jobs_have_ended_be_it_in_errors(cluster):
    def does(actor, name, seed):
        if (name, seed) == ("elu", 1):
            raise RayTaskError(DataError("on a: none"))
        return answer(actor, name, seed)

    jobs = [job("elu", 0), job("elu", 1), job("relu", 0)]
    engine, done = cluster(jobs, does, nodes=[{"CPU": 1.0}])
    assert engine.completed(wait=True).activation == "elu"
    assert done == ["elu0"]
    assert engine.completed(wait=True).activation == "relu"
    assert engine.completed(wait=True) is None
    with pytest.raises(DataError, match="on a: none"):
        engine.outcome(jobs[1])


def test_what_nobody_named_is_raised_with_its_traceback(cluster):
    def does(actor, name, seed):
        if name == "elu":
            raise RayTaskError(ZeroDivisionError())
        return answer(actor, name, seed)

    engine, _ = cluster([job("elu")], does)
    with pytest.raises(RayTaskError, match="a traceback"):
        engine.outcome(job("elu"))


def test_a_job_whose_process_dies_is_done_by_another_and_named_when_that_goes_on(cluster):
    deaths = defaultdict(int)

    def does(actor, name, seed):
        deaths[name] += name in ("elu", "gelu")
        if name == "gelu" or (name == "elu" and deaths["elu"] <= on_ray.RETRIES):
            raise RayError("its node\n is gone")
        return answer(actor, name, seed)

    engine, done = cluster([job("relu"), job("elu"), job("gelu")], does, nodes=[{"CPU": 99.0}])
    assert engine.outcome(job("elu")).case.activation == "elu"
    with pytest.raises(RunLostError, match="seed 0: what did it died 4 times, at last: its node is gone"):
        engine.outcome(job("gelu"))
    assert engine.outcome(job("relu"))
    assert sorted(done) == ["elu0", "relu0"]


def test_a_job_does_not_die_of_processes_that_died_before_it(cluster):
    gone = []

    def does(actor, name, seed):
        if actor.number in gone:
            raise RayError("gone")
        return answer(actor, name, seed)

    jobs = [job("relu", seed) for seed in range(8)]
    engine, _ = cluster(jobs, does, nodes=[{"CPU": 99.0}])
    for one in jobs:
        engine.outcome(one)
    gone += range(1, 9)  # all of them idle
    assert engine.outcome(job("elu")).case.activation == "elu"


def test_where_no_process_comes_up_every_job_ends_by_name(cluster):
    def does(actor, name, seed):
        raise RayError("no room for its files")

    engine, _ = cluster([job("relu"), job("elu")], does, nodes=[{"CPU": 999.0}])
    for name in ("relu", "elu"):
        with pytest.raises(RunLostError, match="20 processes in a row did not start: no room for its files"):
            engine.outcome(job(name))


# ---- what a run takes of a node -----------------------------------------------------------------------------------

CPUS = {"CPU": 8.0}
H100 = {"CPU": 16.0, "GPU": 2.0, "accelerator_type:H100": 1.0}
A100 = {"CPU": 16.0, "GPU": 8.0, "accelerator_type:A100": 1.0}


@pytest.mark.parametrize(
    ("nodes", "choice", "jobs", "said"),
    [
        ([CPUS, CPUS], {}, [job("elu")], "16 runs at a time of 1 CPU each"),
        ([CPUS, CPUS], {}, [job("elu"), job("elu", threads=3)], "4 runs at a time of 3 CPU each"),
        ([CPUS, {"CPU": 4.0}], {}, [job("elu", threads=None)], "3 runs at a time of 4 CPU each"),  # a node for torch
        ([CPUS, H100], {}, [job("elu", threads=None)], "2 runs at a time of 1 CPU, 1 GPU each"),
        ([CPUS, H100], {}, [job("elu", device="cpu")], "24 runs at a time of 1 CPU each"),
        ([H100, H100], {"gpus_per_run": 0.25}, [job("elu")], "16 runs at a time of 1 CPU, 0.25 GPU each"),
        ([H100, A100], {"accelerator": "A100"}, [job("elu")], "8 runs at a time of 1 CPU, 1 GPU, 0.001 *A100 each"),
    ],
)
def test_a_node_holds_as_many_runs_as_it_has_cores_or_shares_of_cards(cluster, nodes, choice, jobs, said):
    engine, _ = cluster(jobs, nodes=nodes, choice=EngineChoice("ray", **choice))
    assert fnmatch(str(engine), f"ray, 2 nodes, {said}")


@pytest.mark.parametrize(
    ("nodes", "choice", "jobs", "message"),
    [
        ([H100, A100], {}, [job("elu")], "2 models, and rows of .* --engine-accelerator A100 or H100"),
        ([H100], {"accelerator": "B200"}, [job("elu")], "--engine-accelerator B200: the cluster has H100"),
        ([CPUS], {"gpus_per_run": 0.5}, [job("elu")], "a card is asked for, and no node of the cluster has one"),
        ([CPUS], {}, [job("elu", device="cuda")], "a card is asked for, and no node of the cluster has one"),
        (
            [CPUS],
            {},
            [job("elu", threads=9)],
            "no node has what a run takes: ray, 1 node, 0 runs at a time of 9 CPU each",
        ),
    ],
)
def test_a_cluster_that_does_not_fit_is_refused_with_what_it_has(cluster, nodes, choice, jobs, message):
    with pytest.raises(ValueError, match=message):
        cluster(jobs, nodes=nodes, choice=EngineChoice("ray", **choice))


# ---- what travels -------------------------------------------------------------------------------------------------


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A folder from which modules are imported for the test alone."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name, one in sys.modules.items() if str(tmp_path) in str(getattr(one, "__file__", ""))]:
        del sys.modules[name]


def test_a_users_files_and_what_they_import_travel_and_are_the_same_code_there(micro, there, monkeypatch):
    from bench import experiments

    micro.makepyfile(
        mine="import helper\n\n\ndef mine(x):\n    return helper.slope * x.relu()\n", helper="slope = 2.0\n"
    )
    micro.makepyfile(unrelated="raise SystemExit('never imported')\n")
    micro.runpytest_inprocess("--activation", "mine.py:mine", "-k", "mine and digits and sgd", "--collect-only")
    before = code.code_of("micro")
    case = Case("micro", "mlp", "digits", "mine", "sgd")
    own = shipping.stage([RunJob(case, RECIPE, "tiny", "cpu", Locations(), 0)], there)
    assert sorted(path.name for path in (there / "own").rglob("*.py")) == [
        "conftest.py",
        "helper.py",
        "mine.py",
        "test_micro.py",
    ]
    assert (there / "bench" / "training" / "train.py").is_file()
    assert not list(there.rglob("*.csv"))
    monkeypatch.chdir(there)
    monkeypatch.setattr("activations._registry._REGISTRY", {})
    monkeypatch.setattr(experiments, "_OWN", {})
    shipping.unpack(own)
    assert code.code_of("micro") == before
    assert experiments.find("micro") is not None


def test_an_address_at_which_nothing_answers_is_named():
    pytest.importorskip("ray")
    with pytest.raises(ValueError, match=r"cannot join the cluster 127\.0\.0\.1:1: .*refused"):
        on_ray.Ray(EngineChoice("ray", "127.0.0.1:1"), [], lambda *_: None, lambda *_: None)
