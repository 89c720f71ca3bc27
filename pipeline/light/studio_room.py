"""The softly lit studio: dark-grey walls, a white cyclorama, a ceiling diffuser and one tall window.

Covers: what stands where. Sizes and colours are choices after photo studios. Does not cover: brightness (`illuminate`).
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.pieces import housing, lamp, piece
from pipeline.light.rooms import FLOOR_Z, Hall, Room, cabinet, person, shelf, shell, window
from pipeline.light.shapes import Mesh, barrel, beam, box, merged, rectangle
from pipeline.surface.material import Rgb

HALL = Hall(x=(-3.8, 4.2), y=(-3.6, 4.0), ceiling=3.0)
DIFFUSER_RADIANCE: Rgb = (1.0, 0.97, 0.92)
SKY_RADIANCE: Rgb = (2.6, 3.0, 3.7)
GROUND_RADIANCE: Rgb = (0.9, 1.0, 1.0)


def softlit_studio_room(groups: tuple[str, ...]) -> Room:
    """Build the studio; *groups*: (ceiling diffuser, window)."""
    pieces = shell(
        HALL, (0.16, 0.16, 0.16), (0.30, 0.30, 0.30), (0.18, 0.18, 0.185), (0.10, 0.10, 0.105), dado_height=0.4
    )
    lamps: list[LampMesh] = []
    for i, x in enumerate((-0.8, 0.9)):  # two fields of a scrim, with a dark gap between them
        face = rectangle((x, 0.2, 2.45), (0.0, 0.0, -1.0), 1.5, 2.4)
        lamps.append(lamp(f"ceiling_diffuser_{i}", "panel", groups[0], face, DIFFUSER_RADIANCE))
        pieces.append(housing(box((x - 0.78, -1.03, 2.455), (x + 0.78, 1.43, 2.53))))
    panes, frame = window(
        "studio_window",
        groups[1],
        (HALL.x[0] + 0.02, -0.8, 0.75),
        (1.0, 0.0, 0.0),
        size=(1.3, 2.3),
        sky=SKY_RADIANCE,
        ground=GROUND_RADIANCE,
        panes=(2, 4),
    )
    lamps += panes
    return Room(tuple(lamps), (*pieces, frame, *_furniture()), clear_radius=2.3, clear_height=2.4)


def _furniture() -> list[SurroundingMesh]:
    flags = [beam((x, y, 0.0), (x, y, 1.0), 0.02) for x, y in ((2.5, -1.9), (1.2, -2.6))]
    boards = box((1.2, -2.62, FLOOR_Z + 0.1), (1.23, -2.2, 1.25)), box((2.35, -2.4, FLOOR_Z + 0.1), (2.85, -2.37, 1.2))
    tripod = [
        barrel((-2.3 + 0.4 * math.cos(a), -1.9 + 0.4 * math.sin(a), FLOOR_Z), (-2.3, -1.9, 0.4), 0.02, 8)
        for a in (0.3, 2.4, 4.5)
    ]
    head = box((-2.42, -2.0, 0.4), (-2.18, -1.8, 0.62))
    return [
        piece("cyclorama", _cyclorama(), (0.78, 0.78, 0.77), roughness=0.75, mottle=0.01),
        piece("flag", merged([*flags, *boards]), (0.015, 0.015, 0.015), roughness=0.95),
        piece("tripod", merged([*tripod, head]), (0.03, 0.03, 0.03), roughness=0.4),
        *cabinet("desk", 3.3, 0.9, (1.6, 0.8, 0.95), -math.pi / 2, (0.35, 0.27, 0.19)),
        *cabinet("cabinet", 0.0, -3.2, (1.4, 0.5, 1.9), math.pi, (0.30, 0.30, 0.29)),
        *shelf(3.7, -1.6, math.pi / 2),
        *person(2.1, 1.9, 0.6, (0.03, 0.03, 0.035)),
    ]


def _cyclorama() -> Mesh:
    """A white sweep of paper 4.6 m wide before the +y wall: floor, quarter round of 0.9 m, wall; facing the table."""
    radius, wall_y, top = 0.9, HALL.y[1] - 0.15, 2.4
    angles = np.linspace(0.0, math.pi / 2, 13)
    curve = [(wall_y - radius + radius * math.sin(a), FLOOR_Z + 0.01 + radius * (1.0 - math.cos(a))) for a in angles]
    profile = np.array([(wall_y - 1.6, FLOOR_Z + 0.01), *curve, (wall_y, top)])
    vertices = [(x, y, z) for y, z in profile for x in (-2.3, 2.3)]
    triangles = [t for i in range(0, 2 * len(profile) - 2, 2) for t in ((i, i + 1, i + 3), (i, i + 3, i + 2))]
    return Mesh(np.array(vertices), np.array(triangles, dtype=np.int32))
