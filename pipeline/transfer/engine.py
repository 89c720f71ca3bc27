"""Photos through Stable Diffusion: encode, denoise at low strength, decode, and put the result onto the photo.

Covers: fixed padded batches, one CPU generator per photo, tiles, the round trip, results that are no pictures, memory
that runs out. Does not cover: networks (`load`), the loop (`denoise`), whether labels still hold (`gate`).

Same key, same bytes: a photo's result depends on its own pixels, prompt, seed and layers, the settings with their batch
size, the weights, the number format, the class of device and the versions of the libraries; not on the other photos of
a call nor on its place among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.errors import BatchTooLarge, InputError
from pipeline.transfer import devices
from pipeline.transfer.canvas import Canvas, canvas_of, decode, encode
from pipeline.transfer.denoise import Conditions, Counter, Protected, denoise
from pipeline.transfer.load import ModelChoice, Networks, load
from pipeline.transfer.photos import Encoded, PhotoBatch, check_photos
from pipeline.transfer.residual import plain_transfer, residual_transfer
from pipeline.transfer.schedulers import schedule
from pipeline.transfer.settings import PaintSettings, TransferSettings
from pipeline.transfer.text import conditions_of

BLACK_LEVEL = 0.02
"""A decoded picture whose brightest value lies below is black."""


@dataclass(frozen=True)
class TransferResult:
    """What became of n photos."""

    images: NDArray[np.uint8]
    """(n, h, w, 3) sRGB; the camera photo where there is a problem."""
    decoded: NDArray[np.float32]
    """(n, h, w, 3), 0 to 1: the decoded result before it was put onto the photo."""
    encoded: Encoded
    """What the VAE makes of the photos, round trips among it; a call at another strength can take it."""
    problems: tuple[str | None, ...]
    """Per photo why its result is no picture, None when it is one."""
    unet_calls: int
    batch: int
    """Photos per network call that were really used: smaller than asked for when memory ran out."""
    notes: tuple[str, ...]
    """What the user should hear."""

    @property
    def round_trip(self) -> NDArray[np.float32]:
        """(n, h, w, 3), 0 to 1: encoded and decoded without denoising; what the VAE alone changes."""
        return self.encoded.round_trip


@dataclass
class Engine:
    """A loaded model that transfers and paints."""

    networks: Networks
    largest_batch: int = 2**31
    """Lowered when memory runs out, unless a call asks for a fixed batch."""
    notes: list[str] = field(default_factory=list)

    def key(self) -> dict[str, object]:
        """What a stage key needs beside settings, prompts and seeds."""
        return {
            "weights": self.networks.hashes,
            "dtype": str(self.networks.dtype).removeprefix("torch."),
            "device": devices.device_class(self.networks.device, self.networks.dtype),
            "libraries": devices.library_versions(),
        }

    def transfer(
        self,
        photos: NDArray[np.uint8],
        prompts: Sequence[str],
        seeds: Sequence[int],
        settings: TransferSettings,
        *,
        instances: NDArray[np.uint16] | None = None,
        protected: NDArray[np.bool_] | None = None,
        controls: dict[str, NDArray[np.uint8]] | None = None,
        encoded: Encoded | None = None,
        fixed_batch: bool = False,
    ) -> TransferResult:
        """Transfer photos (n, h, w, 3; sRGB) of one size, each with its prompt and its seed (0 to 2**63 - 1).

        *instances* (n, h, w): part of each pixel, 0 = background; bounds the residual. *protected* (n, h, w): pixels
        that keep their bytes. *controls*: kind -> (n, h, w, 3) pictures (see `controls`), one for every kind in the
        settings. *encoded*: from an earlier result for the same photos and batch, which spares the VAE half of its work
        and changes no byte. When memory runs out, the call goes on with half the batch and says so in its notes; with
        *fixed_batch*, whose bytes lie under a key, it raises BatchTooLarge. Raises InputError for shapes, prompts over
        77 tokens, missing controls; OutOfMemory; DeviceLost.
        """
        layers = PhotoBatch(photos, tuple(prompts), tuple(seeds), instances, protected, controls or {}, encoded)
        check_photos(layers, settings, set(self.networks.controlnets))
        notes: list[str] = []
        batch = settings.batch if fixed_batch else min(settings.batch, self.largest_batch)
        while True:
            try:
                return self._transfer_all(layers, replace(settings, batch=batch), notes)
            except (RuntimeError, MemoryError) as error:
                if not devices.is_out_of_memory(error):
                    raise
                batch = self._smaller(batch, notes, error, fixed_batch)

    def paint(self, prompts: Sequence[str], seeds: Sequence[int], settings: PaintSettings) -> NDArray[np.uint8]:
        """Pictures (n, height, width, 3; sRGB) from prompts alone, one seed each. Raises as `transfer` does."""
        from pipeline.transfer.paint import paint_batch

        if len(prompts) != len(seeds):
            raise InputError(f"expected as many seeds as prompts, found {len(seeds)} and {len(prompts)}")
        batch = min(settings.batch, self.largest_batch)
        while True:
            try:
                with devices.working(self.networks.device, self.networks.dtype):
                    return paint_batch(self.networks, list(prompts), list(seeds), replace(settings, batch=batch))
            except (RuntimeError, MemoryError) as error:
                if not devices.is_out_of_memory(error):
                    raise
                batch = self._smaller(batch, [], error)

    def _smaller(self, batch: int, notes: list[str], error: BaseException, fixed: bool = False) -> int:
        """Half of *batch*, remembered and said. Raises OutOfMemory when it is one already, BatchTooLarge if *fixed*."""
        if self.networks.device.type == "cuda":
            torch.cuda.empty_cache()
        if batch == 1:
            raise devices.OutOfMemory(
                f"expected memory for one photo on {self.networks.device}, found too little; set whole_px and tile_px "
                f"lower, use fewer ControlNets, or another device"
            ) from error
        if fixed:
            raise BatchTooLarge(
                f"expected memory for {batch} photos a call on {self.networks.device}, found too little; "
                f"use --batch {batch // 2}",
                batch // 2,
            ) from error
        self.largest_batch = batch // 2
        note = f"out of memory at a batch of {batch}: going on with {batch // 2}"
        self.notes.append(note)
        notes.append(note)
        return batch // 2

    def _transfer_all(self, photos: PhotoBatch, settings: TransferSettings, notes: list[str]) -> TransferResult:
        counter = Counter()
        done = []
        for first in range(0, len(photos.photos), settings.batch):
            part = photos.part(first, settings.batch)
            with devices.working(self.networks.device, self.networks.dtype):
                done.append(_transfer_batch(self.networks, part, settings, counter))
        count = len(photos.photos)
        decoded = np.concatenate([result for result, _ in done])[:count]
        encoded = Encoded.joined([own for _, own in done]).rows(np.arange(count))
        round_trip = encoded.round_trip
        problems = tuple(_problem(result, trip) for result, trip in zip(decoded, round_trip, strict=True))
        images = np.stack(
            [_compose(photos, index, decoded, round_trip, problem, settings) for index, problem in enumerate(problems)]
        )
        calls = counter.unet // len(done)
        if calls != settings.unet_calls:
            raise RuntimeError(f"expected {settings.unet_calls} UNet calls, made {calls}")
        return TransferResult(images, decoded, encoded, problems, calls, settings.batch, tuple(notes))


def open_engine(choice: ModelChoice) -> Engine:
    """An engine over the networks of *choice*, which are loaded once per process."""
    return Engine(load(choice))


def _transfer_batch(
    networks: Networks, photos: PhotoBatch, settings: TransferSettings, counter: Counter
) -> tuple[NDArray[np.float32], Encoded]:
    """Decoded results (b, h, w, 3; 0 to 1) of one full batch, and what the VAE makes of its photos."""
    canvas = canvas_of(photos.photos, settings, networks.device)
    conditions = _conditions(networks, photos, canvas, settings)  # first: a prompt that is too long costs nothing
    known = photos.encoded
    clean = encode(networks, canvas) if known is None else torch.from_numpy(known.latents).to(networks.device)
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in photos.seeds]
    noise = _draw(generators, clean.shape[1:], networks.device)
    plan = schedule(
        settings.scheduler, networks.trained, settings.unet_calls, settings.strength, networks.device, generators
    )
    protected = None
    if photos.protected is not None and photos.protected.any():
        keep = canvas.latent_mask(photos.protected, settings.protect_latent_px)
        protected = Protected(keep, clean, noise)
    start = plan.noisy(clean, noise, plan.timesteps[0])
    latents = denoise(networks, start, plan, conditions, canvas.latent_blend, protected, counter)
    decoded = decode(networks, latents, canvas)
    return decoded, known or Encoded(clean.cpu().numpy(), decode(networks, clean, canvas))


def _conditions(networks: Networks, photos: PhotoBatch, canvas: Canvas, settings: TransferSettings) -> Conditions:
    conditions = conditions_of(networks, photos.prompts, settings.negative_prompt, settings.guidance)
    pictures = tuple((use, canvas.control(photos.controls[use.kind])) for use in settings.controls)
    return replace(conditions, controls=pictures)


def _draw(generators: list[torch.Generator], shape: torch.Size, device: torch.device) -> torch.Tensor:
    """Noise (b, 4, h, w), float32, each from its own generator on the CPU: the same on every device."""
    return torch.stack([torch.randn(shape, generator=one) for one in generators]).to(device)


def _problem(result: NDArray[np.float32], round_trip: NDArray[np.float32]) -> str | None:
    """Why a decoded picture (h, w, 3) is none."""
    if not np.isfinite(result).all() or not np.isfinite(round_trip).all():
        return "the networks gave numbers that are not finite (NaN); use bfloat16 or float32, or check the model"
    if np.max(result) < BLACK_LEVEL <= np.max(round_trip):
        return "the networks gave a black picture; check the model"
    return None


def _compose(
    photos: PhotoBatch,
    index: int,
    decoded: NDArray[np.float32],
    round_trip: NDArray[np.float32],
    problem: str | None,
    settings: TransferSettings,
) -> NDArray[np.uint8]:
    photo = np.asarray(photos.photos[index])
    if problem is not None:
        return photo
    protected = None if photos.protected is None else photos.protected[index]
    if settings.method == "plain":
        return plain_transfer(photo, decoded[index], protected, settings.residual.ramp_px)
    instances = None if photos.instances is None else photos.instances[index]
    return residual_transfer(photo, decoded[index], round_trip[index], settings.residual, instances, protected)
