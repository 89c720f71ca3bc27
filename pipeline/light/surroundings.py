"""Surroundings: the room or the image that the metal reflects beyond the rig.

Covers: the table assets/tables/surroundings, rooms grown to hold the rig and cameras, image worlds. Does not cover: the
rooms' contents (`workshop`, `studio_room`), what the cameras see past (`illuminate`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pipeline.light.lamps import ImageWorld, LampMesh, SurroundingMesh
from pipeline.light.photometry import WHITE_IRRADIANCE, horizontal_irradiance
from pipeline.light.pieces import dimmed, turned_lamp, turned_piece
from pipeline.light.rooms import FLOOR_Z, Room
from pipeline.light.studio_room import softlit_studio_room
from pipeline.light.workshop import workshop_room
from pipeline.spec.scene import SurroundingsSpec
from pipeline.tables import entry

_ROOMS: Final[dict[str, Callable[[tuple[str, ...]], Room]]] = {
    "workshop_room": workshop_room,
    "softlit_studio_room": softlit_studio_room,
}


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Calibrated surroundings."""

    groups: tuple[str, ...]
    lamps: tuple[LampMesh, ...]
    pieces: tuple[SurroundingMesh, ...]
    world: ImageWorld
    floor_z: float | None
    """Height of the floor in metres; None when there is none (image worlds)."""


def surroundings_groups(name: str) -> tuple[str, ...]:
    """Light groups of the surroundings *name*, in order. Raises InputError for an unknown name."""
    return tuple(_row(name)["groups"])


def _row(name: str) -> dict[str, Any]:
    return entry("surroundings", name, "surroundings")


def build_surroundings(spec: SurroundingsSpec, reach: tuple[float, float]) -> Surroundings:
    """The surroundings *spec*, so bright that their emitters alone give `illuminance_ratio` of the rig's illuminance.

    *reach*: metres from the origin to the farthest lamp or camera, horizontally and upwards; a room is scaled up as a
    whole until its furniture stands beyond it. Raises InputError for an unknown name.
    """
    row, groups = _row(spec.name), surroundings_groups(spec.name)
    wanted = spec.illuminance_ratio * WHITE_IRRADIANCE
    if row["kind"] == "image":
        radiance = wanted / row["horizontal_irradiance"]
        return Surroundings(groups, (), (), ImageWorld(row["file"], radiance, spec.yaw_rad, groups[0]), None)
    room = _ROOMS[spec.name](groups)
    scale = max(1.0, reach[0] / room.clear_radius, reach[1] / room.clear_height)
    lamps = [turned_lamp(lamp, spec.yaw_rad, scale) for lamp in room.lamps]
    factor = wanted / horizontal_irradiance(lamps)
    return Surroundings(
        groups=groups,
        lamps=tuple(dimmed(lamp, factor) for lamp in lamps),
        pieces=tuple(turned_piece(piece, spec.yaw_rad, scale) for piece in room.pieces),
        world=ImageWorld(None, 0.0, 0.0, groups[0]),
        floor_z=FLOOR_Z * scale,
    )
