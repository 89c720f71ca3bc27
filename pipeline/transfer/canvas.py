"""Photos as the VAE takes them, and back: padded to whole latents, in windows where they are large.

A canvas is the photos with mirrored borders up to multiples of 64 pixels, from -1 to 1. The VAE's mean is used, not a
draw of its posterior, so that encoding is exact and repeatable. Does not cover: denoising (`denoise`).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.transfer.denoise import Blend
from pipeline.transfer.load import Networks
from pipeline.transfer.settings import CANVAS_STEP, PIXELS_PER_LATENT, TransferSettings
from pipeline.transfer.tiles import Window, blend_weights, windows


@dataclass(frozen=True)
class Canvas:
    """Photos that wait for the encoder."""

    pixels: torch.Tensor
    """(b, 3, H, W), float32, -1 to 1, on the device."""
    height: int
    width: int
    """Of the photos."""
    latent_blend: Blend
    pixel_blend: Blend

    def latent_mask(self, mask: NDArray[np.bool_], reach_px: int) -> torch.Tensor:
        """(b, 1, H/8, W/8): latents whose cell comes within *reach_px* of a pixel of *mask* (b, h, w)."""
        size = 2 * reach_px + 1
        kernel = np.ones((size, size), np.uint8)
        grown = np.stack([cv2.dilate(_pad(one.astype(np.uint8), self.pixels.shape), kernel) for one in mask])
        cells = torch.from_numpy(grown)[:, None].float()
        return torch.nn.functional.max_pool2d(cells, PIXELS_PER_LATENT).to(self.pixels.device) > 0

    def control(self, pictures: NDArray[np.uint8]) -> torch.Tensor:
        """Control pictures (b, h, w, 3) on the canvas: (b, 3, H, W), 0 to 1."""
        padded = np.stack([_pad(picture, self.pixels.shape) for picture in pictures])
        return torch.from_numpy(padded).permute(0, 3, 1, 2).to(self.pixels.device).float() / 255


def canvas_of(photos: NDArray[np.uint8], settings: TransferSettings, device: torch.device) -> Canvas:
    """The canvas of photos (b, h, w, 3)."""
    height, width = photos.shape[1:3]
    shape = torch.Size((len(photos), 3, _up(height), _up(width)))
    padded = np.stack([_pad(photo, shape) for photo in photos])
    pixels = torch.from_numpy(padded).permute(0, 3, 1, 2).to(device).float() / 127.5 - 1
    side = settings.tile_px if max(shape[2:]) > settings.whole_px else settings.whole_px
    tiles = windows(shape[2] // PIXELS_PER_LATENT, shape[3] // PIXELS_PER_LATENT, *_latent_sizes(side, settings))
    return Canvas(
        pixels, height, width, _blend(tiles, shape, settings, 1, device), _pixel_blend(tiles, shape, settings, device)
    )


def encode(networks: Networks, canvas: Canvas) -> torch.Tensor:
    """Latents (b, 4, H/8, W/8), float32: the mean of the VAE's posterior, scaled as the UNet wants it."""
    scale = networks.vae.config.scaling_factor
    first = canvas.pixels
    latents = torch.zeros(len(first), 4, first.shape[2] // PIXELS_PER_LATENT, first.shape[3] // PIXELS_PER_LATENT)
    latents = latents.to(first.device)
    for tile, weight in zip(canvas.latent_blend.tiles, canvas.latent_blend.weights, strict=True):
        rows, columns = tile.scaled(PIXELS_PER_LATENT).slices
        part = first[..., rows, columns].to(networks.dtype, memory_format=torch.channels_last)
        mean = networks.vae.encode(part).latent_dist.mode().float() * scale
        rows, columns = tile.slices
        latents[..., rows, columns] += weight * mean
    return latents


def decode(networks: Networks, latents: torch.Tensor, canvas: Canvas) -> NDArray[np.float32]:
    """Pictures (b, h, w, 3), 0 to 1, of latents (b, 4, H/8, W/8). Numbers that are not finite stay."""
    scale = networks.vae.config.scaling_factor
    pixels = torch.zeros_like(canvas.pixels)
    for tile, weight in zip(canvas.pixel_blend.tiles, canvas.pixel_blend.weights, strict=True):
        rows, columns = tile.slices
        cell_rows, cell_columns = (
            slice(part.start // PIXELS_PER_LATENT, part.stop // PIXELS_PER_LATENT) for part in (rows, columns)
        )
        part = (latents[..., cell_rows, cell_columns] / scale).to(networks.dtype, memory_format=torch.channels_last)
        picture = networks.vae.decode(part, return_dict=False)[0].float()
        pixels[..., rows, columns] += weight * picture
    inside = pixels[..., : canvas.height, : canvas.width]
    result: NDArray[np.float32] = (inside / 2 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return result


def blend_of(height: int, width: int, device: torch.device) -> Blend:
    """One window over everything."""
    return Blend([Window(0, height, 0, width)], [torch.ones(1, 1, height, width, device=device)])


def _latent_sizes(side: int, settings: TransferSettings) -> tuple[int, int]:
    return side // PIXELS_PER_LATENT, settings.overlap_px // PIXELS_PER_LATENT


def _blend(
    tiles: list[Window], shape: torch.Size, settings: TransferSettings, unit: int, device: torch.device
) -> Blend:
    """Windows *tiles* over latents (*unit* 1) or pixels (*unit* 8)."""
    height, width = (side * unit // PIXELS_PER_LATENT for side in shape[2:])
    scaled = [tile.scaled(unit) for tile in tiles]
    overlap = settings.overlap_px * unit // PIXELS_PER_LATENT
    weights = blend_weights(scaled, height, width, overlap)
    return Blend(scaled, [torch.from_numpy(weight)[None, None].to(device) for weight in weights])


def _pixel_blend(tiles: list[Window], shape: torch.Size, settings: TransferSettings, device: torch.device) -> Blend:
    return _blend(tiles, shape, settings, PIXELS_PER_LATENT, device)


def _up(side: int) -> int:
    return -(-side // CANVAS_STEP) * CANVAS_STEP


def _pad(picture: NDArray[np.uint8], shape: torch.Size) -> NDArray[np.uint8]:
    """*picture* (h, w) or (h, w, 3), bottom and right borders mirrored up to H and W of *shape* (b, c, H, W)."""
    down, right = shape[2] - picture.shape[0], shape[3] - picture.shape[1]
    return np.asarray(cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_REFLECT_101), dtype=np.uint8)
