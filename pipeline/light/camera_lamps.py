"""Lamps that go with a camera: coaxial light, ring flash, and the panel or screen that it sees in a flat mirror.

Each camera has its own, lit in its own views only. Covers: where they are. Does not cover: how bright (`illuminate`).
Polarisation is not followed, so the half mirror of a coaxial light is a light that the camera looks through.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np

from pipeline.errors import InputError
from pipeline.light.glow import glow_of, vec3
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.pieces import housing, lamp
from pipeline.light.place import Built, Place, above_table
from pipeline.light.shapes import Mesh, Vector, direction_of, merged, revolved, unit, upright_frame
from pipeline.light.sight import View
from pipeline.light.standing_lamps import FRAME_M, SETBACK_M, box_behind
from pipeline.light.stands import LENS_GAP_M
from pipeline.surface.material import Stripes

LENS_ROOM_M: Final = 0.03
"""Clear way between a lens and the coaxial light before it."""
COAXIAL_DEPTH: Final = 0.6
"""Depth of a coaxial light's box over the side of its window."""
LOWEST_RAD: Final = math.radians(12.0)
"""Panels and screens stand at least this high: below it they would lie behind the table's edge."""
TUBE_GAP_RAD: Final = math.radians(8.0)
"""Dark gap between the two tubes of a ring flash."""


def coaxial(place: Place) -> Built:
    """For each camera a glowing square on its axis, before the lens, that the camera looks through.

    Its side is `field_share` times the longer side of the field of view at the parts. It stands at the rig's distance
    or, where there is room before the lens, one side away: the half mirror lengthens the way of the light so far that
    it comes from within some 27 degrees of the axis. Raises InputError when the lens is nearer than the light.
    """
    lamps, pieces = [], []
    for view in place.views:
        forward = view.axes[2]
        depth = float((np.array(place.aim) - view.position) @ forward)
        if depth - place.distance < LENS_ROOM_M:
            raise InputError(_lens_too_near(place, view, depth))
        left, right, top, bottom = view.slopes
        side = place.row["field_share"] * depth * max(right - left, bottom - top)
        standoff = max(place.distance, min(side, depth - LENS_ROOM_M))
        front = view.position + (depth - standoff) * forward
        glow = glow_of(front, forward, (side, side), place.scale, place.row.get("glow", {}))
        mesh = above_table(front, forward, side, side)
        light_id = f"{place.row['id']}_{view.camera_index}"
        made = lamp(light_id, "coaxial", place.row["groups"][0], mesh, place.radiance(), glow=glow)
        lamps.append(replace(made, camera=view.camera_index))
        box = above_table(front - SETBACK_M * forward, forward, side + 4.0 * FRAME_M, side + 4.0 * FRAME_M)
        room = min(COAXIAL_DEPTH * side, 0.8 * (depth - standoff))
        pieces.append((light_id, replace(housing(_closed(box, -room * forward)), camera=view.camera_index)))
    return tuple(lamps), tuple(pieces)


def _closed(front: Mesh, offset: Vector) -> Mesh:
    """The prism behind the rectangle *front*."""
    back = Mesh(front.vertices + offset, front.triangles[:, ::-1].copy())
    corner = [(i, i + 4, (i + 1) % 4, (i + 1) % 4 + 4) for i in range(4)]
    sides = np.array([t for a, b, c, d in corner for t in ((a, b, d), (a, d, c))], dtype=np.int32)
    both = merged([front, back])
    return Mesh(both.vertices, np.concatenate([both.triangles, sides]))


def _lens_too_near(place: Place, view: View, depth: float) -> str:
    return (
        f"rig {place.name}: expected the lens of camera {view.camera_index} at least "
        f"{1e3 * (place.distance + LENS_ROOM_M):.0f} mm from the middle of the parts, so that the light "
        f"({1e3 * place.distance:.0f} mm from them) fits before it, found {1e3 * depth:.0f} mm; "
        "raise cameras.distance_m or cameras.focal_mm, or lower cameras.fill or rigs.scale"
    )


def ring_flash(place: Place) -> Built:
    """For each camera two half-ring tubes around the front of its lens."""
    inner, outer = place.metres("inner_mm"), place.metres("outer_mm")
    lamps, pieces = [], []
    for view in place.views:
        ids = [f"{tube}_{view.camera_index}" for tube in place.row["ids"]]
        for number, (light_id, group) in enumerate(zip(ids, place.row["groups"], strict=True)):
            start = (0.5 - number) * math.pi + TUBE_GAP_RAD / 2
            tube = revolved([(inner, 0.0), (outer, 0.0)], 48, start, math.pi - TUBE_GAP_RAD)
            made = lamp(light_id, "ring_flash", group, _before_lens(tube, view), place.radiance())
            lamps.append(replace(made, camera=view.camera_index))
        body = revolved([(outer * 1.06, -0.03), (outer * 1.06, -0.0005), (inner * 0.94, -0.0005)], 64)
        pieces.append((ids[0], replace(housing(_before_lens(body, view)), camera=view.camera_index)))
    return tuple(lamps), tuple(pieces)


def _before_lens(mesh: Mesh, view: View) -> Mesh:
    """*mesh* about the z axis, moved onto the lens' front so that z runs along the optical axis."""
    return Mesh(view.position - LENS_GAP_M * view.axes[2] + mesh.vertices @ view.axes, mesh.triangles)


def facing(place: Place) -> Built:
    """For each camera a panel or screen where it sees it in a horizontal mirror at the parts, square to that way."""
    width, height = (place.scale * 1e-3 * size for size in place.row["size_mm"])
    lamps: list[LampMesh] = []
    pieces: list[tuple[str, SurroundingMesh]] = []
    for view in place.views:
        outward = mirrored_way(view, place)
        front = place.aim + place.distance * outward
        light_id, kind = f"{place.row['id']}_{view.camera_index}", place.row["lamp"]
        mesh = above_table(front, -outward, width, height)
        glow = glow_of(front, -outward, (width, height), place.scale, place.row.get("glow", {}))
        stripes = _stripes(place, front, outward) if "stripes" in place.row else None
        made = lamp(light_id, kind, place.row["groups"][0], mesh, place.radiance(), glow=glow, stripes=stripes)
        lamps.append(replace(made, camera=view.camera_index))
        middle, shown = mesh.vertices.mean(axis=0), float(np.linalg.norm(mesh.vertices[3] - mesh.vertices[0]))
        box = box_behind(middle, -outward, width, shown, kind=kind)
        pieces.append((light_id, replace(box, camera=view.camera_index)))
    return tuple(lamps), tuple(pieces)


def mirrored_way(view: View, place: Place) -> Vector:
    """(3,) unit vector from the parts to where the camera looks in a horizontal mirror, at least LOWEST_RAD high."""
    x, y, z = unit(view.position - np.array(place.aim))
    return direction_of(math.atan2(-y, -x), max(math.asin(z), LOWEST_RAD))


def _stripes(place: Place, front: Vector, outward: Vector) -> Stripes:
    row = place.row["stripes"]
    right, up = upright_frame(-outward)
    return Stripes(
        direction=vec3(right if row["across"] == "width" else up),
        origin=vec3(front),
        period_m=place.scale * 1e-3 * row["period_mm"],
        phase_rad=math.radians(row["phase_deg"]),
        contrast=row["contrast"],
    )
