"""Tasks on threads, processes and a cluster of Dask: all results, each once, also where a worker is killed."""

from __future__ import annotations

import builtins
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from hopfield_hw.values import executors
from hopfield_hw.values.errors import InputError, MissingExtra, SimulatorError
from hopfield_hw.values.executors import check_workers, run_each

TASKS = {f"task {k}": k for k in range(12)}
ANSWERS = {key: 100 + k for key, k in TASKS.items()}


def add(shared: int, task: int) -> int:
    return shared + task


def fail(shared: int, task: int) -> int:
    if task == 3:
        raise InputError("task 3 is wrong")
    return add(shared, task)


def die_once(shared: str, task: int) -> int:
    """Kill the process that it runs in, but for a second time."""
    mark = Path(shared) / "died"
    if task == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 100 + task


def die(shared: Any, task: int) -> int:
    if task == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return 100 + task


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers, each a process of its own."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as found,
    ):
        yield found


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_give_every_result_once(workers: int) -> None:
    found = list(run_each(add, 100, TASKS, workers=workers))
    assert dict(found) == ANSWERS
    assert len(found) == len(TASKS)


def test_results_come_while_others_run() -> None:
    def wait(shared: int, task: int) -> int:
        time.sleep(0.0 if task == 1 else 0.5)
        return task

    first = next(run_each(wait, 0, {"slow": 0, "quick": 1}, workers=2))
    assert first == ("quick", 1)


def test_an_executor_of_concurrent_futures_is_taken_and_left_open() -> None:
    with ThreadPoolExecutor(2) as pool:
        assert dict(run_each(add, 100, TASKS, executor=pool)) == ANSWERS
        assert pool.submit(add, 1, 2).result() == 3
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert dict(run_each(add, 100, TASKS, executor=processes)) == ANSWERS
        with pytest.raises(InputError, match="cannot be sent to another process"):
            list(run_each(lambda shared, task: task, 100, TASKS, executor=processes))
        with pytest.raises(SimulatorError, match="a worker died, and this executor is of no more use"):
            list(run_each(die, None, TASKS, executor=processes))
        with pytest.raises(SimulatorError, match="give a new one, or a Dask Client"):
            list(run_each(add, 100, TASKS, executor=processes))


@pytest.mark.parametrize("workers", [1, 3])
def test_what_a_task_raises_comes_through(workers: int) -> None:
    with pytest.raises(InputError, match=r"^task 3 is wrong$"):
        list(run_each(fail, 100, TASKS, workers=workers))


def test_a_cluster_of_dask_gives_every_result_once_also_where_a_worker_dies(client: Any, tmp_path: Path) -> None:
    assert dict(run_each(add, 100, TASKS, executor=client)) == ANSWERS
    assert dict(run_each(add, 100, TASKS, executor=client.get_executor())) == ANSWERS
    found = list(run_each(die_once, str(tmp_path), TASKS, executor=client))
    assert (tmp_path / "died").exists()
    assert dict(found) == ANSWERS
    assert len(found) == len(TASKS)
    with pytest.raises(InputError, match=r"^task 3 is wrong$"):
        list(run_each(fail, 100, TASKS, executor=client))


def test_the_address_of_a_scheduler_is_enough(client: Any) -> None:
    assert dict(run_each(add, 100, TASKS, executor=client.scheduler.address)) == ANSWERS


def test_a_task_that_kills_every_worker_ends_the_run(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "TRIES", 1)
    with pytest.raises(SimulatorError, match="the worker of task task 3 died 1 times"):
        list(run_each(die, None, {"task 3": 3}, executor=client))


def test_wrong_executors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for executor, workers, message in (
        (
            5,
            None,
            "`executor` = 5: must have a method `submit`, as of concurrent.futures, or be a Dask Client or a "
            "scheduler's address, such as 'tcp://host:8786'",
        ),
        (
            "host",
            None,
            "`executor` = 'host': must be the address of a scheduler, such as tcp://host:8786",
        ),
        ("tcp://host:8786", 2, "`workers` = 2: the executor has its own; leave one of them out"),
        (None, 0, "`workers` = 0: must be a whole number from 1 to 1024"),
    ):
        with pytest.raises(InputError) as caught:
            check_workers(executor, workers)
        assert str(caught.value) == message

    class Lazy:
        def submit(self, function: Any, *given: Any) -> int:
            return 5

    with pytest.raises(InputError, match="`executor`: its `submit` gave 5: must give a future"):
        list(run_each(add, 100, TASKS, executor=Lazy()))
    plain = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("distributed"):
            raise ModuleNotFoundError("No module named 'distributed'", name="distributed")
        return plain(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra) as missing:
        list(run_each(add, 100, TASKS, executor="tcp://127.0.0.1:9"))
    assert str(missing.value) == (
        "`executor` = 'tcp://127.0.0.1:9': needs the package distributed (No module named 'distributed'); install it: "
        "pip install '.[dask]'"
    )


def test_a_scheduler_that_does_not_answer_is_an_error_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "ANSWER_SECONDS", 0.5)
    with pytest.raises(InputError, match=r"no scheduler answers there within 0.5 s .*start one with `dask scheduler`"):
        list(run_each(add, 100, TASKS, executor="tcp://127.0.0.1:9"))
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0") as empty,
        distributed.Client(empty, set_as_default=False) as found,
        pytest.raises(InputError, match=r"no worker came to its scheduler within 0.5 s; start one with `dask worker`"),
    ):
        list(run_each(add, 100, TASKS, executor=found))
    with pytest.raises(InputError, match="the Client is closed; give one that is connected"):
        list(run_each(add, 100, TASKS, executor=found))
