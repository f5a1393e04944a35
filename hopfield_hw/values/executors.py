"""Many tasks on many processors: threads of our own, executors as of concurrent.futures, and clusters of Dask.

What a task gives must not depend on where it runs; results come in any order, each once. What is sent to other
processes is pickled by the executor that sends it, and by nothing else.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pickle import PicklingError
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from .arrays import whole
from .errors import InputError, MissingExtra, SimulatorError

ANSWER_SECONDS = 10.0  # that a scheduler, and the first of its workers, has to answer
TRIES = 4  # of a task whose workers die, beside those that Dask makes by itself
MOST_WORKERS = 1024
ADDRESS = re.compile(r"(?:tcp|tls|ws|wss|ucx)://\S+:\d+")

K = TypeVar("K", bound=Hashable)
S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")


class Place(Protocol):
    """Where tasks run."""

    def submit(self, function: Callable[[S, T], R], shared: S, task: T) -> Any:
        """Return the future of function(shared, task)."""

    def judge(self, error: Exception) -> None:
        """Raise what an error of a task means; nothing where its worker died, and the task may be sent again."""


def run_each(
    function: Callable[[S, T], R],
    shared: S,
    tasks: Mapping[K, T],
    *,
    executor: Any = None,
    workers: int | None = None,
) -> Iterator[tuple[K, R]]:
    """Yield (key, function(shared, task)) of each task as it is done.

    `executor`: anything with the method `submit` of concurrent.futures.Executor, a Dask `Client`, or the address of a
    Dask scheduler, such as "tcp://host:8786"; threads of our own by default, and then `workers` says how many: all
    processors by default. A task whose worker dies is sent again, TRIES times in all.

    Raises InputError for an executor of another kind, a scheduler that does not answer, and what cannot be sent;
    MissingExtra for an address without Dask; SimulatorError where workers die again and again; and what a task raises.
    """
    check_workers(executor, workers)
    if executor is None and (workers or os.cpu_count() or 1) == 1:
        for key, task in tasks.items():
            yield key, function(shared, task)
        return
    done: SimpleQueue[K] = SimpleQueue()
    running: dict[K, Any] = {}
    tried = dict.fromkeys(tasks, 0)

    with _open(executor, workers) as place:

        def start(key: K) -> None:
            tried[key] += 1
            running[key] = place.submit(function, shared, tasks[key])
            running[key].add_done_callback(lambda _: done.put(key))

        try:
            for key in tasks:
                start(key)
            while running:
                key = done.get()
                try:
                    found = running.pop(key).result()
                except Exception as error:
                    place.judge(error)
                    if tried[key] == TRIES:
                        raise SimulatorError(
                            f"executor: the worker of task {key} died {TRIES} times ({error!r:.200}); look whether it "
                            "has too little memory"
                        ) from error
                    start(key)
                    continue
                yield key, found
        finally:
            for future in running.values():
                future.cancel()


def check_workers(executor: Any, workers: int | None) -> None:
    """Raise InputError for a wrong executor, a wrong number of workers, and for both together; contact nobody."""
    if workers is not None:
        whole(workers, "workers", 1, MOST_WORKERS)
        if executor is not None:
            raise InputError(f"`workers` = {workers}: the executor has its own; leave one of them out")
    if isinstance(executor, str) and not ADDRESS.fullmatch(executor):
        raise InputError(f"`executor` = {executor!r:.80}: must be the address of a scheduler, such as tcp://host:8786")
    if executor is not None and not isinstance(executor, str) and not callable(getattr(executor, "submit", None)):
        raise InputError(
            f"`executor` = {executor!r:.60}: must have a method `submit`, as of concurrent.futures, or be a Dask "
            "Client or a scheduler's address, such as 'tcp://host:8786'"
        )


class _Pool:
    """An executor as of concurrent.futures. One whose worker has died takes no more tasks, so that nothing is lost."""

    def __init__(self, executor: Any) -> None:
        self.executor = executor

    def submit(self, function: Callable[[S, T], R], shared: S, task: T) -> Any:
        try:
            future = self.executor.submit(_run, function, shared, task)
        except BrokenExecutor as error:
            raise _broken(error) from error
        if not callable(getattr(future, "add_done_callback", None)):
            raise InputError(f"`executor`: its `submit` gave {future!r:.60}: must give a future, as concurrent.futures")
        return future

    def judge(self, error: Exception) -> None:
        if isinstance(error, BrokenExecutor):
            raise _broken(error) from error
        if isinstance(error, PicklingError | AttributeError) and "pickle" in str(error):
            raise InputError(
                f"`executor`: what it is to run cannot be sent to another process ({error!s:.200}); give functions "
                "that modules hold, or a Dask Client, which sends others too"
            ) from error
        raise error


def _run(function: Callable[[S, T], R], shared: S, task: T) -> R:
    return function(shared, task)


def _broken(error: BrokenExecutor) -> SimulatorError:
    return SimulatorError(
        f"executor: a worker died, and this executor is of no more use ({error!s:.200}); give a new one, or a Dask "
        "Client, which sends the work to other workers; a file of results goes on where it is"
    )


class _Cluster:
    """A cluster of Dask. What tasks share is a task itself, which is done again where the worker that has it dies."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.shared: tuple[Any, Any] | None = None

    def submit(self, function: Callable[[S, T], R], shared: S, task: T) -> Any:
        if self.client.status != "running":
            raise SimulatorError(
                "executor: the connection to the scheduler is lost; start it again; a file of results goes on where it "
                "is"
            )
        if self.shared is None or self.shared[0] is not shared or self.shared[1].cancelled():
            self.shared = shared, self.client.submit(_same, shared, pure=False)
        return self.client.submit(function, self.shared[1], task, pure=False)

    def judge(self, error: Exception) -> None:
        from distributed import CancelledError, KilledWorker

        if not isinstance(error, CancelledError | KilledWorker):
            raise error


def _same(shared: S) -> S:
    return shared


@contextmanager
def _open(executor: Any, workers: int | None) -> Iterator[Place]:
    if executor is None:
        with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
            yield _Pool(pool)
    elif isinstance(executor, str):
        with _connect(executor) as client:
            yield _Cluster(_with_workers(client))
    elif _is_client(executor):
        yield _Cluster(_with_workers(executor))
    else:
        yield _Pool(executor)


def _is_client(executor: Any) -> bool:
    distributed = sys.modules.get("distributed")
    return distributed is not None and isinstance(executor, distributed.Client)


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"`executor` = {address!r:.80}: needs the package distributed ({error}); install it: pip install '.[dask]'"
        ) from None
    try:
        return Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:  # a TimeoutError is an OSError
        raise InputError(
            f"`executor` = {address!r:.80}: no scheduler answers there within {ANSWER_SECONDS:g} s ({error!s:.120}); "
            "start one with `dask scheduler`, or give the address that it prints"
        ) from None


def _with_workers(client: Any) -> Any:
    """Return a client of a cluster that has a worker. Raises InputError for one that has none."""
    if client.asynchronous:
        raise InputError("`executor`: is an asynchronous Client; give one with asynchronous=False")
    if client.status != "running":
        raise InputError(f"`executor`: the Client is {client.status}; give one that is connected to a scheduler")
    try:
        client.wait_for_workers(1, timeout=ANSWER_SECONDS)
    except TimeoutError:
        raise InputError(
            f"`executor`: no worker came to its scheduler within {ANSWER_SECONDS:g} s; start one with `dask worker`"
        ) from None
    return client
