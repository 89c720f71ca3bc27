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
from pipeline.errors import EnvironmentProblem, GlintError, InputError
from pipeline.graph.execute import Workplace
from pipeline.graph.model_identity import MODEL_SPECS, Identify, ModelIdentity, ModelSpec, identify_here
from pipeline.graph.stage import Machine, Resource
from pipeline.records import from_dict, to_dict

TRUST_VARIABLE: Final = "GLINT_TRUST_NETWORK"
_CONNECT_S: Final = 15.0
_WORKERS_S: Final = 30.0
_STOP_S: Final = 5.0


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


def remote_slots(client: Client, address: str, workplace: Workplace, on_gpu: bool = False) -> dict[Resource, int]:
    """How many actions of each resource the workers run at once.

    Waits half a minute for a first worker. Raises EnvironmentProblem when no worker declares a resource that the work
    needs, when a worker has another release of the project or does not see the dataset folder.
    """
    workers = _wait_for_workers(client)
    slots: dict[Resource, int] = {
        "render": sum(int(worker["resources"].get("render", 0)) for worker in workers.values()),
        "cpu": sum(int(worker["resources"].get("cpu", 0)) for worker in workers.values()),
        "gpu": sum(int(worker["resources"].get("gpu", 0)) for worker in workers.values()),
    }
    missing = [resource for resource, count in slots.items() if count < 1 and (on_gpu or resource != "gpu")]
    if missing:
        found = f"{len(workers)} workers, none of which has {' or '.join(missing)}" if workers else "no worker"
        raise EnvironmentProblem(
            f"expected Dask workers that declare the resources render and cpu{' and gpu' if on_gpu else ''}, found "
            f"{found}; start each with\n"
            f'  dask worker {address} --nthreads 2 --resources "render=1 cpu=1"'
            + ('\nand one per graphics card with --nthreads 4 --resources "gpu=4"' if on_gpu else "")
        )
    _check_workers(client, workplace)
    return slots


def identify_remotely(address: str, workplace: Workplace) -> Identify:
    """Ask the workers of the scheduler at *address* what they would transfer with: those with a graphics card, if any.

    Raises as `connect` does, what a worker raises, and EnvironmentProblem when they differ.
    """

    def identify(stage: str, models: ModelSpec) -> ModelIdentity:
        client = connect(address)
        try:
            workers = _wait_for_workers(client)
            chosen = [name for name, worker in workers.items() if worker["resources"].get("gpu")] or list(workers)
            arguments = (workplace.stages, stage, to_dict(models), to_dict(workplace.machine))
            answers: dict[str, Any] = client.run(_identify_as_json, *arguments, workers=chosen, on_error="return")
        finally:
            client.close(timeout=_STOP_S)
        return _agreed(answers)

    return identify


def _identify_as_json(stages: str, stage: str, models: dict[str, Any], machine: dict[str, Any]) -> dict[str, Any]:
    """Runs on a worker."""
    identify = identify_here(stages, from_dict(Machine, machine))
    found: dict[str, Any] = to_dict(identify(stage, from_dict(MODEL_SPECS[stage], models)))
    return found


def _agreed(answers: dict[str, Any]) -> ModelIdentity:
    """The one identity that all workers gave; their numbers of cards may differ."""
    found = {}
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, GlintError):
            raise type(answer)(f"worker {worker}: {answer}")
        if isinstance(answer, BaseException):
            raise EnvironmentProblem(f"expected worker {worker} to name its models and device, found: {answer!r}")
        found[worker] = from_dict(ModelIdentity, {**answer, "gpus": 0})
    identities = list(found.values())
    if not identities:
        raise EnvironmentProblem("expected a Dask worker that can transfer photos, found none; start one")
    for worker, identity in found.items():
        if identity != identities[0]:
            raise EnvironmentProblem(
                f"expected all workers to transfer with the same models, libraries and class of device, found "
                f"{identity} on {worker} and {identities[0]} elsewhere; start workers of one kind"
            )
    return identities[0]


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
