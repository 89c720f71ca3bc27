"""Actions on Dask workers: processes of this machine, or an external scheduler.

Covers: starting and checking workers, sending actions as plain JSON, lost workers, stopping. Does not cover: the order
of work (`schedule`), what a worker does (`execute`).

Facts that shaped this module, measured with distributed 2026.8: tasks that carry resources are never queued on the
scheduler (so the driver keeps a bounded window); a resource that no worker has waits for ever (so workers are checked
first); a string argument that equals a Dask key is replaced by that key's result (so keys are "<stage>-<hash>" and
arguments are dicts); a Dask worker that dies takes the blame on every task it held (so the scheduler's own retries
are off and `schedule` counts attempts).
"""

from __future__ import annotations

import logging
import os
import signal
import time
from asyncio import CancelledError
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing import resource_tracker
from threading import Thread
from typing import Any, Final

import dask
from distributed import Client, LocalCluster, as_completed
from distributed.scheduler import KilledWorker

from pipeline.errors import EnvironmentProblem
from pipeline.graph.children import stop_children
from pipeline.graph.execute import Outcome, Workplace, run_as_json
from pipeline.graph.remote import connect, remote_slots
from pipeline.graph.signals import delayed_signals
from pipeline.graph.stage import Action, Resource
from pipeline.records import from_dict, to_dict

_POLL_S: Final = 0.02
_CHECK_S: Final = 1.0
_STOP_CHILDREN_S: Final = 2.0
_NO_WORKERS_S: Final = 60.0
_STOP_S: Final = 5.0
_CPU_SLOTS_AT_MOST: Final = 4
SCENES_PER_GPU: Final = 4
"""Scenes that a graphics card works for at once: while some are measured, the photos of others fill its batches."""
_VISIBLE: Final = "CUDA_VISIBLE_DEVICES"

_SETTINGS: Final = {
    "distributed.scheduler.allowed-failures": 0,
    "distributed.scheduler.work-stealing": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.comm.timeouts.connect": "30s",
    "distributed.logging.distributed": "critical",
}


class DaskExecutor:
    """Runs actions on Dask workers. Use `local_executor` or `remote_executor` to make one."""

    def __init__(
        self, client: Client, slots: Mapping[Resource, int], workplace: Workplace, cluster: LocalCluster | None
    ) -> None:
        self.slots = slots
        self._client = client
        self._cluster = cluster
        self._workplace: dict[str, Any] = to_dict(workplace)
        self._flying: dict[str, Action] = {}
        self._window = as_completed([], loop=client.loop, with_results=True, raise_errors=False)
        self._workers_seen = self._checked = time.monotonic()

    def submit(self, action: Action) -> None:
        """Send an action to the workers."""
        name = f"{action.stage}-{action.key}"
        self._flying[name] = action
        future = self._client.submit(
            run_as_json,
            to_dict(action),
            self._workplace,
            key=name,
            resources={action.resource: 1},
            retries=0,
            pure=False,
        )
        self._window.add(future)

    def wait(self) -> list[tuple[Action, Outcome | None]]:
        """Wait for results. Raises EnvironmentProblem when the scheduler or all workers are gone for a minute."""
        while not self._window.has_ready():
            self._check_alive()
            time.sleep(_POLL_S)
        ended: list[tuple[Action, Outcome | None]] = []
        for future, result in self._window.next_batch(block=False):
            ended.append((self._flying.pop(future.key), self._outcome(future, result)))
            future.release()
        return ended

    def close(self) -> None:
        """Leave a remote scheduler as it was; end local workers."""
        if self._cluster is not None:
            self._stop_children()
        self._client.close(timeout=_STOP_S)
        if self._cluster is not None:
            self._cluster.close(timeout=_STOP_S)

    def abort(self) -> None:
        """Cancel what waits. Local workers and their children are killed; what runs on remote workers runs out, and
        harms nothing because outputs appear whole."""
        if self._cluster is None:
            self._client.cancel(list(self._window.futures), force=True)
            self._client.close(timeout=_STOP_S)
            return
        self._stop_children()
        for nanny in self._cluster.workers.values():
            nanny.auto_restart = False
            if nanny.pid:
                os.kill(nanny.pid, signal.SIGKILL)
        self.close_quietly()

    def close_quietly(self) -> None:
        """Close without waiting for answers from workers that are gone."""
        self._client.close(timeout=1.0)
        if self._cluster is not None:
            self._cluster.close(timeout=_STOP_S)

    def _stop_children(self) -> None:
        """Ask every local worker to stop its stages' processes; a worker that does not answer is killed anyway."""

        def ask() -> None:
            with suppress(OSError, TimeoutError, CancelledError):  # the connection may be closed under it
                self._client.run(stop_children, on_error="ignore")

        asking = Thread(target=ask, daemon=True)
        asking.start()
        asking.join(_STOP_CHILDREN_S)

    def _outcome(self, future: Any, result: Any) -> Outcome | None:
        if future.status == "finished":
            return from_dict(Outcome, result)
        error = result[1] if isinstance(result, tuple) else None
        if isinstance(error, KilledWorker):
            return None
        if future.status == "cancelled":
            raise EnvironmentProblem(
                "expected the Dask scheduler to hold the work, found it gone or restarted; run the same command again"
            )
        raise EnvironmentProblem(
            f"expected a Dask worker to run {future.key[:24]}, found: {type(error).__name__}: {error}; "
            f"check that all workers have the same release of the project"
        )

    def _check_alive(self) -> None:
        now = time.monotonic()
        if now - self._checked < _CHECK_S:
            return
        self._checked = now
        if self._client.status != "running":
            raise EnvironmentProblem(
                "expected a connection to the Dask scheduler, found it lost; run the same command again"
            )
        if self._client.scheduler_info(n_workers=1)["workers"]:
            self._workers_seen = now
        elif now - self._workers_seen > _NO_WORKERS_S:
            raise EnvironmentProblem(
                f"expected Dask workers, found none for {_NO_WORKERS_S:.0f} s; start some and run "
                f"the same command again"
            )


def local_executor(workplace: Workplace, workers: int, gpus: int = 0) -> DaskExecutor:
    """Worker processes on this machine: each renders one scene at a time and works on photos and labels beside it.

    *gpus*: as many more processes, each with a graphics card of its own, transfer photos of several scenes together.
    """
    _quieten()
    cpu_slots = max(1, min(_CPU_SLOTS_AT_MOST, workplace.machine.threads))
    dask.config.set(_SETTINGS)
    slots: dict[Resource, int] = {"render": workers, "cpu": workers * cpu_slots, "gpu": gpus * SCENES_PER_GPU}
    executor = None
    resource_tracker.ensure_running()  # its start would take the mask of `delayed_signals` off again
    try:
        with delayed_signals():
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1 + cpu_slots,
                resources={"render": 1, "cpu": cpu_slots},
                processes=True,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
            _add_gpu_workers(cluster, gpus)
            executor = DaskExecutor(Client(cluster), slots, workplace, cluster)
    except KeyboardInterrupt:
        if executor is not None:
            executor.abort()
        raise
    return executor


def _add_gpu_workers(cluster: LocalCluster, gpus: int) -> None:
    """A worker per graphics card, which sees no other card; a single one sees what its device names."""
    for number in range(gpus):
        ((name, worker),) = cluster.new_worker_spec().items()
        options = {**worker["options"], "nthreads": SCENES_PER_GPU, "resources": {"gpu": SCENES_PER_GPU}}
        if gpus > 1:
            options["env"] = {**(options.get("env") or {}), _VISIBLE: _card(number, os.environ.get(_VISIBLE))}
        cluster.worker_spec[name] = {**worker, "options": options}
    if gpus:
        cluster.scale(len(cluster.worker_spec))


def _card(number: int, visible: str | None) -> str:
    """Card *number* of those that the user lets this process see: an index of the machine, a UUID or a MIG name."""
    return str(number) if visible is None else visible.split(",")[number].strip()


def remote_executor(workplace: Workplace, address: str, on_gpu: bool = False) -> DaskExecutor:
    """Join the scheduler at *address*. Raises EnvironmentProblem when it or its workers cannot do the work."""
    _quieten()
    client = connect(address)
    try:
        slots = remote_slots(client, address, workplace, on_gpu)
    except EnvironmentProblem:
        client.close(timeout=_STOP_S)
        raise
    return DaskExecutor(client, slots, workplace, None)


def _quieten() -> None:
    """Dask's log lines are for people who run Dask; what a user must know comes through errors and progress."""
    for name in ("distributed", "tornado", "asyncio", "bokeh"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
