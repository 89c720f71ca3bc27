"""Photographs through glass: the mixture and its layers, written linear with one exposure and one white balance.

A photo through a pane is the sum m = t + r of what passes the pane and of what it mirrors, formed in linear light
before anything is exposed, as in "Removing Reflections from RAW Photos" (Kee et al., CVPR 2025). The mixture is
metered; its exposure and white balance then hold for m, t, r and the context view c alike. Does not cover: the pane's
optics (`pane_optics`), whether a mixture is useful (`glass_quality`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.bundle import write_rgb
from pipeline.camera.expose import HEADROOM, Exposure
from pipeline.camera.glass_quality import mix_scores, well_mixed
from pipeline.camera.hardware import Sensor
from pipeline.camera.mix import cct_rgb, mix
from pipeline.pane_optics import ghost_map
from pipeline.view_light import ViewLight, luminance

Through = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""What the optics of a photo do to radiance (h, w, 3)."""


@dataclass(frozen=True, eq=False)
class GlassLayers:
    """The layers of one photo through glass, (h, w, 3) float32 linear Rec.709 each."""

    m: NDArray[np.float32]
    """The mixture: exactly t + r."""
    t: NDArray[np.float32]
    """What passes the pane. The labels of the view are those of this layer."""
    r: NDArray[np.float32]
    """What the pane reflects into the camera."""
    c: NDArray[np.float32]
    """What the context camera sees, which looks where the pane mirrors."""

    def apart(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """(name, image) of every layer but the mixture, which is the photo."""
        return ((name, image) for name, image in self.items() if name != "m")

    def items(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """(name, image) of every layer."""
        return ((field.name, getattr(self, field.name)) for field in fields(self))


def glass_layers(
    light: ViewLight, gains: Mapping[str, NDArray[np.float32]], rows: NDArray[np.intp] | None = None
) -> GlassLayers | None:
    """The layers of a photo with these *gains* of the light groups, in radiance; None when there is no glass.

    *gains* and *rows* as of `mix`: of lamps that vary while the photo is exposed.

    One light mix holds for all of them: a lamp that is switched off goes out in the mirror image too.
    """
    if light.pane is None:
        return None
    t, r = mix(light.groups, gains, rows), mix(light.pane.mirrored, gains, rows)
    return GlassLayers(m=t + r, t=t, r=r, c=mix(light.pane.context, gains, rows))


def seen_behind(layers: GlassLayers, lens: Through) -> GlassLayers:
    """*layers* as the optics *lens* of the photo throw them on the sensor, in radiance.

    A lens is linear, so the mixture stays the sum of its layers; it is formed anew from them.
    """
    t, r, c = (np.asarray(lens(layer), dtype=np.float32) for layer in (layers.t, layers.r, layers.c))
    return GlassLayers(m=t + r, t=t, r=r, c=c)


def exposed_layers(layers: GlassLayers, gain: NDArray[np.float32]) -> GlassLayers:
    """*layers* exposed and balanced by *gain* (3,), see `linear_gain`: linear, 1 = a white card, not clipped.

    The mixture is the sum of the exposed layers, so that the equation holds to the last bit in the files as well.
    """
    t, r, c = (layer * gain for layer in (layers.t, layers.r, layers.c))
    return GlassLayers(m=t + r, t=t, r=r, c=c)


def layer_seed(seed: int, layer: str) -> int:
    """Seed of the sensor noise in the RAW file of one layer: every exposure has noise of its own."""
    return int.from_bytes(hashlib.sha256(f"glass {layer} {seed}".encode()).digest()[:4], "little")


def linear_gain(white_k: float, exposure: Exposure, sensor: Sensor) -> NDArray[np.float32]:
    """(3,) factor from radiance to linear values, 1 = a white card under light of *white_k* kelvin.

    That is the temperature that the camera took for white in the mixture.

    The sensor's own response cancels against its white balance; a mono sensor has none, and the layers keep the colour
    of the light.
    """
    scale = exposure.exposure_scale * HEADROOM / np.array(sensor.response)
    white = np.ones(3) if sensor.colour == "mono" else np.array(cct_rgb(white_k))
    return np.asarray(scale / white, dtype=np.float32)


def write_layers(layers: GlassLayers, folder: Path, stem: str) -> dict[str, str]:
    """Write each layer as a lossless float32 EXR, *stem*-m.exr ..., into *folder*; layer -> file name."""
    files = {}
    for name, image in layers.items():
        files[name] = f"{stem}-{name}.exr"
        write_rgb(folder / files[name], image)
    return files


def write_glass(
    layers: GlassLayers, gain: NDArray[np.float32], light: ViewLight, photo_row: Mapping[str, Any], out: Path
) -> dict[str, Any]:
    """Write the layers of one photo, exposed by *gain*, beside its picture below *out*; its row of the glass table.

    *layers* in radiance, behind the lens; *photo_row* is the photo's own row, whose RAW file is that of the mixture.
    """
    exposed = exposed_layers(layers, gain)
    picture = PurePosixPath(photo_row["image_path"])
    files = write_layers(exposed, out / picture.parent, str(photo_row["photo_id"]))
    return {
        **{name: photo_row[name] for name in ("photo_id", "view_id", "scene_id")},
        **{f"{layer}_path": str(picture.with_name(file)) for layer, file in files.items()},
        "m_raw_path": photo_row["raw_path"],
        **dict.fromkeys(("t_raw_path", "r_raw_path", "c_raw_path")),
        **glass_row(light, layers, exposed),
    }


def glass_row(light: ViewLight, layers: GlassLayers, exposed: GlassLayers) -> dict[str, Any]:
    """What the glass table says of a photo beside ids and files: the pane, its angles, its double image, the mixture.

    *layers* in radiance, *exposed* as they are written.
    """
    if light.pane is None or light.view.pane is None:
        raise ValueError(f"view {light.view.view_id} has no glass")
    pane, geometry = light.view.pane, light.pane.geometry
    degrees = np.rad2deg(geometry.incidence_rad)
    scores = mix_scores(exposed.m, exposed.t, exposed.r)
    energy = float(np.mean(luminance(layers.m), dtype=np.float64))
    return {
        "kind": pane.kind,
        "thickness_mm": pane.thickness_m * 1000.0,
        "refractive_index": pane.refractive_index,
        "camera_from_pane": geometry.camera_from_pane.ravel().tolist(),
        "context_from_world": list(pane.context.cam_from_world),
        "incidence_mean_deg": float(degrees.mean()),
        "incidence_max_deg": float(degrees.max()),
        "ghost_shift_px": _ghost_shift(light),
        "reflected_share": float(np.mean(luminance(layers.r), dtype=np.float64)) / energy if energy > 0.0 else None,
        "mix_scores": scores,
        "well_mixed": well_mixed(scores),
    }


def _ghost_shift(light: ViewLight) -> float:
    """Mean distance in pixels between the images of the pane's two faces, over the whole picture."""
    if light.pane is None:
        return 0.0
    x, y = ghost_map(light.pane.geometry, light.pane.distance)
    rows, columns = np.indices(x.shape)
    return float(np.hypot(x - (columns + 0.5), y - (rows + 0.5)).mean())
