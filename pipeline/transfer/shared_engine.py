"""The engine of a process: loaded once, shared by all scenes that are transferred in it.

Covers: opening it, photos of several scenes in one network call, number of threads. Does not cover: the networks
(`engine`), who waits for whom (`batcher`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from pipeline.errors import EnvironmentProblem, InputError
from pipeline.spec.painted import PaintingSpec
from pipeline.spec.transfer import TransferSpec
from pipeline.transfer.batcher import Batcher
from pipeline.transfer.camera_photos import CameraPhoto
from pipeline.transfer.climb import Attempt
from pipeline.transfer.engine import Engine, open_engine
from pipeline.transfer.load import ModelChoice
from pipeline.transfer.photos import Encoded
from pipeline.transfer.place import model_choice
from pipeline.transfer.settings import ControlUse, PaintSettings, ResidualSettings, TransferSettings
from pipeline.transfer.tokenizer import check_prompt


@dataclass(frozen=True)
class _Kind:
    """What photos of one network call have in common."""

    settings: TransferSettings
    shape: tuple[int, int]


class SharedEngine:
    """An engine behind a batcher. Use `shared_engine` to get the one of this process."""

    def __init__(self, engine: Engine, batch: int) -> None:
        self.engine = engine
        self._batcher: Batcher[_Kind, CameraPhoto, Attempt] = Batcher(self._compute, batch)

    def member(self) -> AbstractContextManager[None]:
        """Take part in batches; see `Batcher.member`."""
        return self._batcher.member()

    def attempt(self, photos: Sequence[CameraPhoto], settings: TransferSettings) -> list[Attempt]:
        """What the networks make of *photos*, in their order; only for members. Raises as `Engine.transfer` does."""
        answers: list[Attempt | None] = [None] * len(photos)
        shapes = [photo.truth.shape for photo in photos]
        for shape in dict.fromkeys(shapes):
            places = [place for place, own in enumerate(shapes) if own == shape]
            made = self._batcher.ask(_Kind(settings, shape), [photos[place] for place in places])
            for place, answer in zip(places, made, strict=True):
                answers[place] = answer
        return [answer for answer in answers if answer is not None]

    def prompt_problem(self, prompt: str) -> str | None:
        """Why *prompt* cannot be used; None when it can."""
        try:
            check_prompt(prompt, self.engine.networks.tokenizer)
        except InputError as error:
            return str(error)
        return None

    def _compute(self, kind: _Kind, photos: list[CameraPhoto]) -> list[Attempt]:
        known = [photo.encoded for photo in photos if photo.encoded is not None]
        made = self.engine.transfer(
            np.stack([photo.pixels for photo in photos]),
            [photo.prompt for photo in photos],
            [photo.seed for photo in photos],
            kind.settings,
            instances=np.stack([photo.truth.instance for photo in photos]),
            protected=np.stack([photo.protected for photo in photos]),
            controls={
                use.kind: np.stack([photo.controls[use.kind] for photo in photos]) for use in kind.settings.controls
            },
            encoded=Encoded.joined(known) if len(known) == len(photos) else None,
            fixed_batch=True,
        )
        own = [made.encoded.rows(np.array([row])) for row in range(len(photos))]
        answers = zip(made.images, own, made.problems, strict=True)
        return [Attempt(image, encoded, problem, made.batch) for image, encoded, problem in answers]


_lock = threading.Lock()
_engines: dict[tuple[ModelChoice, int, int], SharedEngine] = {}


def shared_engine(spec: TransferSpec, device: str, dtype: Any, batch: int, threads: int) -> SharedEngine:
    """The engine of this process for the models of *spec*, opened by the first call; another takes its place.

    *threads* are those of a CPU. Raises EnvironmentProblem for models or devices that are not here and for files that
    cannot be used.
    """
    import torch

    choice = _choice(spec, device, dtype)
    with _lock:
        if (choice, batch, threads) not in _engines:
            _engines.clear()
            torch.set_num_threads(max(1, threads))  # a Dask nanny sets one thread for everything below it
            _engines[choice, batch, threads] = SharedEngine(_opened(choice), batch)
        return _engines[choice, batch, threads]


def painting_engine(painting: PaintingSpec, device: str, dtype: Any, threads: int) -> Engine:
    """An engine that paints, over weights that are loaded once per process. Raises as `shared_engine` does."""
    import torch

    transfer = TransferSpec(painting.model, (1.0,), 1, 1.0, "ddim", "plain", "", ())
    choice = _choice(transfer, device, dtype)
    torch.set_num_threads(max(1, threads))
    return _opened(choice)


def paint_settings(painting: PaintingSpec) -> PaintSettings:
    """The engine's settings. Raises InputError for numbers out of range."""
    return PaintSettings(
        width=painting.width,
        height=painting.height,
        steps=painting.steps,
        guidance=painting.guidance,
        scheduler=painting.scheduler,
        negative_prompt=painting.negative_prompt,
    )


def expect_key(engine: Engine, expected: Mapping[str, Any]) -> None:
    """Raise EnvironmentProblem unless the engine is what the plan was made for: other bytes would lie under its key."""
    found = engine.key()
    for name, value in expected.items():
        if name in found and found[name] != value:
            raise EnvironmentProblem(
                f"expected {name} {value} for transfer, as when the build was planned, found {found[name]} on this "
                f"worker; give all workers the same models, libraries and class of device, or plan with --device"
            )


def settings_of(spec: TransferSpec, batch: int) -> TransferSettings:
    """The engine's settings at the first strength of *spec*. Raises InputError for numbers out of range."""
    return TransferSettings(
        strength=spec.strengths[0],
        unet_calls=spec.unet_calls,
        guidance=spec.guidance,
        scheduler=spec.scheduler,
        method=spec.method,
        negative_prompt=spec.negative_prompt,
        controls=tuple(ControlUse(use.kind, use.scale, use.end) for use in spec.controls),
        residual=ResidualSettings(**asdict(spec.residual)),
        batch=batch,
        **asdict(spec.tiles),
    )


def at_strength(settings: TransferSettings, strength: float) -> TransferSettings:
    """*settings* at another strength."""
    return replace(settings, strength=strength)


def _choice(spec: TransferSpec, device: str, dtype: Any) -> ModelChoice:
    try:
        return model_choice(spec, device, dtype)
    except InputError as error:  # the plan found it: this worker lacks it
        raise EnvironmentProblem(str(error)) from error


def _opened(choice: ModelChoice) -> Engine:
    """`open_engine`; weights that cannot be used fail every scene alike, so that the build should stop at once."""
    try:
        return open_engine(choice)
    except InputError as error:
        raise EnvironmentProblem(f"{error}; name other weights in the spec") from error
