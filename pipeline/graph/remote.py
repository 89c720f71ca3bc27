"""Joining somebody else's Dask scheduler: the address, the connection, what its workers must have.

Does not cover: sending work (`dask_executor`).
"""

from __future__ import annotations

import ipaddress
import os
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from distributed import Client

import pipeline
from pipeline.errors import EnvironmentProblem, InputError
from pipeline.graph.execute import Workplace
from pipeline.graph.stage import Resource

TRUST_VARIABLE: Final = "GLINT_TRUST_NETWORK"
_CONNECT_S: Final = 15.0
_WORKERS_S: Final = 30.0


def connect(address: str) -> Client:
    """A client of the scheduler at *address*, "tls://host:port" or "tcp://host:port".

    A scheduler runs whatever it is sent, so plain tcp is taken for this machine only, unless $GLINT_TRUST_NETWORK is
    set. Raises InputError for an address that is none, EnvironmentProblem when nobody answers.
    """
    _check_address(address)
    try:
        return Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise EnvironmentProblem(
            f"expected a Dask scheduler at {address}, found: {error}; start one with `dask scheduler`, or leave out "
            f"--scheduler to work on this machine"
        ) from error


def remote_slots(client: Client, address: str, workplace: Workplace) -> dict[Resource, int]:
    """How many actions of each resource the workers run at once.

    Waits half a minute for a first worker. Raises EnvironmentProblem when no worker declares a resource that the work
    needs, when a worker has another release of the project or does not see the dataset folder.
    """
    workers = _wait_for_workers(client)
    slots: dict[Resource, int] = {
        "render": sum(int(worker["resources"].get("render", 0)) for worker in workers.values()),
        "cpu": sum(int(worker["resources"].get("cpu", 0)) for worker in workers.values()),
    }
    missing = [resource for resource, count in slots.items() if count < 1]
    if missing:
        found = f"{len(workers)} workers, none of which has {' or '.join(missing)}" if workers else "no worker"
        raise EnvironmentProblem(
            f"expected Dask workers that declare the resources render and cpu, found {found}; start each with\n"
            f'  dask worker {address} --nthreads 2 --resources "render=1 cpu=1"'
        )
    _check_workers(client, workplace)
    return slots


def probe(root: str) -> tuple[str, bool]:
    """Runs on a worker: (release of the project, whether it sees the dataset folder)."""
    return pipeline.__version__, Path(root).is_dir()


def _check_workers(client: Client, workplace: Workplace) -> None:
    answers: dict[str, Any] = client.run(probe, workplace.root, on_error="return")
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, BaseException):
            raise EnvironmentProblem(
                f"expected the project on worker {worker}, found: {type(answer).__name__}: {answer}; install the same "
                f"release there and start the worker from that environment"
            )
        version, sees_root = answer
        if version != pipeline.__version__:
            raise EnvironmentProblem(
                f"expected release {pipeline.__version__} on worker {worker}, found {version}; install the same one"
            )
        if not sees_root:
            raise EnvironmentProblem(
                f"expected worker {worker} to see the dataset folder {workplace.root}, found that it does not; put the "
                f"dataset on storage that all machines mount at the same path"
            )


def _wait_for_workers(client: Client) -> dict[str, Any]:
    end = time.monotonic() + _WORKERS_S
    while True:
        workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
        if workers or time.monotonic() > end:
            return workers
        time.sleep(0.2)


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme not in {"tcp", "tls"} or not parts.hostname or parts.port is None:
        raise InputError(f'expected a scheduler address such as "tls://host:8786", found "{address}"')
    if parts.scheme == "tls" or _is_this_machine(parts.hostname) or os.environ.get(TRUST_VARIABLE):
        return
    raise InputError(
        f"expected an encrypted address (tls://...) for a scheduler on another machine, found {address}; a scheduler "
        f"runs whatever it is sent. On a network that you trust, set {TRUST_VARIABLE}=1"
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
