"""Surroundings: the room or the image that the metal reflects beyond the rig.

Covers: the table assets/tables/surroundings, rooms grown to hold the rig and cameras, far environments, image worlds,
and how bright all of them are. Does not cover: the rooms' contents (`workshop`, `laboratory`, `studio_room`), how far
environments are painted (`far_rooms`, `far_outdoors`), what the cameras see past (`illuminate`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pipeline.errors import InputError
from pipeline.light.dice import Dice
from pipeline.light.environment_file import read_environment
from pipeline.light.far import FarPicture, picture_irradiance
from pipeline.light.far_outdoors import paint_yard
from pipeline.light.far_rooms import paint_room
from pipeline.light.laboratory import inspection_cell, metrology_laboratory
from pipeline.light.lamps import ImageWorld, LampMesh, SurroundingMesh
from pipeline.light.photometry import WHITE_IRRADIANCE
from pipeline.light.pieces import dimmed, turned_lamp, turned_piece
from pipeline.light.rays import visible_irradiance
from pipeline.light.rooms import FLOOR_Z, Room
from pipeline.light.studio_room import softlit_studio_room
from pipeline.light.workshop import machine_hall, packing_area, workshop_room
from pipeline.spec.scene import SurroundingsSpec
from pipeline.tables import entry

_ROOMS: Final[dict[str, Callable[[tuple[str, ...], Dice], Room]]] = {
    "workshop_room": workshop_room,
    "machine_hall": machine_hall,
    "packing_area": packing_area,
    "metrology_laboratory": metrology_laboratory,
    "inspection_cell": inspection_cell,
    "softlit_studio_room": softlit_studio_room,
}
_YARDS: Final = {"overcast": False, "hazy": True}
"""Sky of a far environment in the open -> whether the sun glows through it."""
USER_GROUPS: Final = ("world",)
"""Light groups of a user's own image."""
FAR_FILE: Final = "world.exr"


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Calibrated surroundings."""

    groups: tuple[str, ...]
    lamps: tuple[LampMesh, ...]
    pieces: tuple[SurroundingMesh, ...]
    world: ImageWorld
    floor_z: float | None
    """Height of the floor in metres; None when there is none (images)."""
    picture: FarPicture | Path | None = None
    """As in `Illumination`."""


def surroundings_groups(spec: SurroundingsSpec) -> tuple[str, ...]:
    """Light groups of the surroundings *spec*, in order. Raises InputError for an unknown name."""
    return USER_GROUPS if spec.file is not None else tuple(_row(spec.name)["groups"])


def _row(name: str) -> dict[str, Any]:
    return entry("surroundings", name, "surroundings")


def build_surroundings(
    spec: SurroundingsSpec, reach: tuple[float, float], image_file: Path | None = None
) -> Surroundings:
    """The surroundings *spec*, so bright that they alone give `illuminance_ratio` of the rig's illuminance.

    *reach*: metres from the origin to the farthest lamp or camera, horizontally and upwards; a room is scaled up as a
    whole until its furniture stands beyond it. *image_file*: where the user's image is, for surroundings that have
    one. Of a room its emitters alone count, without bounces; of an image all of it. Raises InputError for an unknown
    name and for an image that cannot light a scene.
    """
    wanted = spec.illuminance_ratio * WHITE_IRRADIANCE
    if spec.file is not None:
        return _users_image(spec, wanted, image_file)
    row, groups = _row(spec.name), surroundings_groups(spec)
    if row["kind"] == "image":
        radiance = wanted / row["horizontal_irradiance"]
        return Surroundings(groups, (), (), ImageWorld(row["file"], radiance, spec.yaw_rad, groups[0]), None)
    if row["kind"] == "far":
        picture = far_picture(row, Dice(spec.seed, spec.name))
        world = ImageWorld(FAR_FILE, wanted / picture_irradiance(picture.radiance), spec.yaw_rad, groups[0], "job")
        return Surroundings(groups, (), (), world, None, picture)
    return _room(spec, groups, reach, wanted)


def far_picture(row: dict[str, Any], dice: Dice) -> FarPicture:
    """The far environment that a row of the table describes; its radiance is relative."""
    if "sky" in row:
        return paint_yard(dice, hazy=_YARDS[row["sky"]])
    return paint_room(_ROOMS[row["room"]](("", ""), dice), dice.part("paint"))


def _users_image(spec: SurroundingsSpec, wanted: float, image_file: Path | None) -> Surroundings:
    if image_file is None:
        raise InputError(f"surroundings {spec.name!r}: expected the image {spec.file}, found none; run the whole build")
    radiance = wanted / picture_irradiance(read_environment(image_file))
    name = f"world{image_file.suffix.lower()}"
    world = ImageWorld(name, radiance, spec.yaw_rad, USER_GROUPS[0], "job")
    return Surroundings(USER_GROUPS, (), (), world, None, image_file)


@lru_cache(maxsize=4)
def _measured_room(name: str, groups: tuple[str, ...], seed: int) -> tuple[Room, float]:
    """A room, and the irradiance that its emitters give the table at any scale and turn."""
    room = _ROOMS[name](groups, Dice(seed, name))
    return room, visible_irradiance(room.lamps, room.pieces)


def _room(spec: SurroundingsSpec, groups: tuple[str, ...], reach: tuple[float, float], wanted: float) -> Surroundings:
    room, given = _measured_room(spec.name, groups, spec.seed)
    scale = max(1.0, reach[0] / room.clear_radius, reach[1] / room.clear_height)
    factor = wanted / given
    return Surroundings(
        groups=groups,
        lamps=tuple(dimmed(turned_lamp(lamp, spec.yaw_rad, scale), factor) for lamp in room.lamps),
        pieces=tuple(turned_piece(piece, spec.yaw_rad, scale) for piece in room.pieces),
        world=ImageWorld(None, 0.0, 0.0, groups[0]),
        floor_z=FLOOR_Z * scale,
    )
