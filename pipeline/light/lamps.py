"""Lamps and surroundings as numbers: meshes, radiances and labels, in the world frame.

Covers: the records. `rigs` makes the lamps of a rig, `surroundings` the room or world around it. Every lamp is a
glowing mesh, never a Blender lamp: only a mesh has an id that the mirror probe can read. No Blender here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.surface.material import EmitterMaterial, PlainMaterial

if TYPE_CHECKING:
    from pipeline.light.far import FarPicture  # which is calibrated like lamps


@dataclass(frozen=True, eq=False)
class LampMesh:
    """One lamp: a glowing surface with its own light id, in a light group."""

    light_id: str
    """Unique in a scene, for example "softbox_key"."""
    kind: str
    """"softbox", "bar", "ring", "dome", "panel", "luminaire", "window" ..."""
    group: str
    """Light group whose radiance image holds this lamp's light."""
    material: EmitterMaterial
    vertices: NDArray[np.float64]
    """(n, 3) metres, world frame; triangles face the way the light goes."""
    triangles: NDArray[np.int32]
    """(m, 3)."""
    camera_visible: bool
    """False when the camera looks through it (a lamp that would stand before the lens)."""
    rig: int | None = None
    """Index of the rig that it belongs to: it is there in that rig's views only. None = in all (surroundings)."""
    camera: int | None = None
    """Index of the camera whose lens it surrounds or faces (coaxial light, ring flash, screen): it is there in that
    camera's views only. None = in all."""


@dataclass(frozen=True, eq=False)
class SurroundingMesh:
    """A piece of the surroundings that does not glow: a wall, a machine, a lamp housing."""

    label: str
    """What it is: "wall", "floor", "ceiling", "machine", "lamp_housing", "camera" ..."""
    material: PlainMaterial
    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]
    camera_visible: bool = True
    """False when the camera looks through it (its own body, a housing before the lens); metal still mirrors it."""
    rig: int | None = None
    """Index of the rig that it belongs to (housings, flags, screens); None = in all views."""
    camera: int | None = None
    """Index of the camera in whose views alone it is; None = in all."""
    body_of: int | None = None
    """Index of the camera whose body it is: the context view of that camera looks past it. None = no camera's."""


@dataclass(frozen=True)
class ImageWorld:
    """An environment image, or a flat colour."""

    file: str | None
    """File name in *place*, for example "interior.exr"; None = flat."""
    radiance: float
    """Multiplier on the image, or the flat radiance."""
    yaw_rad: float
    """Rotation about the vertical, counter-clockwise from above, radians."""
    group: str
    place: Literal["wheel", "job"] = "wheel"
    """"wheel": datafiles/studiolights/world of the bpy wheel; "job": the render job's folder."""


@dataclass(frozen=True, eq=False)
class Illumination:
    """All light of a scene."""

    lamps: tuple[LampMesh, ...]
    surroundings: tuple[SurroundingMesh, ...]
    world: ImageWorld
    groups: tuple[tuple[str, ...], ...]
    """For each rig: the light groups of its views, in a fixed order."""
    without_support: tuple[bool, ...]
    """For each rig: whether its lamp lies in the support's place (a back light), so that its views leave it out."""
    scales: tuple[float, ...]
    """For each rig: its size as it is built over the millimetres that the table declares."""
    analysers: tuple[float, ...]
    """For each rig: the share of unpolarised light that the analyser before the lens lets through; 1 without one."""
    picture: FarPicture | Path | None = None
    """What a world in the job's folder shows: a painted environment, or the user's image on this machine."""
