"""Rigs: the lamps of a studio or an inspection station, around the arrangement.

Covers: the table assets/tables/rigs, which kind of rig is built by whom, and what "the working plane" of each is. Does
not cover: the lamps (`standing_lamps`, `domes`, `camera_lamps`, `back_light`), their size (`place`), how bright the
whole rig is and what the cameras see past (`illuminate`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pipeline.arrange.arrangement import Arrangement
from pipeline.errors import InputError
from pipeline.light import camera_lamps, domes
from pipeline.light.back_light import back_light
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.place import Built, Place, place_of
from pipeline.light.polarisers import Polarisers, polarisers_of
from pipeline.light.standing_lamps import standing_lamps
from pipeline.spec.scene import ArrangementKind, RigSpec
from pipeline.tables import entry

HELD: Final = ("tray", "pocket_tray", "bin", "pile", "vice", "fixture")
"""Arrangements whose parts would float without their support: a back light cannot take its place."""

_KINDS: Final[dict[str, Callable[[Place], Built]]] = {
    "lamps": standing_lamps,
    "ring": domes.ring,
    "dome": domes.dome,
    "coaxial": camera_lamps.coaxial,
    "ring_flash": camera_lamps.ring_flash,
    "facing": camera_lamps.facing,
}


@dataclass(frozen=True)
class Receiver:
    """Where and how a rig's illuminance is measured: the working plane of its lamps."""

    camera: int | None
    """Camera whose own lamps are measured; None = lamps of all cameras."""
    point: tuple[float, float, float]
    """Metres, world frame."""
    normal: tuple[float, float, float]
    """The side on which light is counted."""


@dataclass(frozen=True, eq=False)
class Rig:
    """The lamps of a rig, not yet calibrated, and their housings."""

    groups: tuple[str, ...]
    lamps: tuple[LampMesh, ...]
    housings: tuple[tuple[str, SurroundingMesh], ...]
    """(light_id of the lamp it belongs to, housing) pairs."""
    receivers: tuple[Receiver, ...]
    scale: float
    """Size as built over the declared millimetres."""
    without_support: bool
    """Whether it lies in the support's place."""
    polarisers: Polarisers


def rig_groups(name: str) -> tuple[str, ...]:
    """Light groups of the rig *name*, in order. Raises InputError for an unknown name."""
    return tuple(_row(name)["groups"])


def _row(name: str) -> dict[str, Any]:
    return entry("rigs", name, "rig")


def build_rig(spec: RigSpec, arrangement: Arrangement, kind: ArrangementKind = "table") -> Rig:
    """The rig *spec* around *arrangement*, whose parts stand as *kind* says.

    Raises InputError for an unknown name, for parts or cameras that leave the rig no room, and for a back light under
    parts that something else holds.
    """
    row = _row(spec.name)
    place = place_of(spec, row, arrangement)
    if row["kind"] == "back_light":
        if kind in HELD:
            raise InputError(
                f"rig {spec.name}: expected parts that lie on a table, a belt or each other, found a {kind}, which the "
                "back light would replace; use arrangement.kinds table, conveyor or stack with it"
            )
        lamps, housings = back_light(place, arrangement)
    else:
        place = domes.roomy(place) if row["kind"] == "dome" else place
        lamps, housings = _KINDS[row["kind"]](place)
    without_support = row["kind"] == "back_light"
    receivers, polarisers = _receivers(place), polarisers_of(row)
    return Rig(tuple(row["groups"]), lamps, housings, receivers, place.scale, without_support, polarisers)


def _receivers(place: Place) -> tuple[Receiver, ...]:
    """The working planes of a rig, all through the world's origin.

    Horizontal; square to the camera's axis for light from the lens; the panel itself, from above, for a back light.
    """
    origin, up, down = (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)
    kind = place.row["kind"]
    if kind in ("coaxial", "ring_flash"):
        ways = [tuple(float(-value) for value in view.axes[2]) for view in place.views]
        return tuple(
            Receiver(view.camera_index, origin, (x, y, z)) for view, (x, y, z) in zip(place.views, ways, strict=True)
        )
    if kind == "facing":
        return tuple(Receiver(view.camera_index, origin, up) for view in place.views)
    return (Receiver(None, origin, down if kind == "back_light" else up),)
