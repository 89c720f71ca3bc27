"""What all rooms are made of: floor, walls, luminaires, windows, cabinets, people.

Covers: furniture and emitters as pieces, in the room's own frame: the work table's top is z = 0, the floor FLOOR_Z.
Does not cover: which room holds what (`workshop`, `studio_room`), calibration (`illuminate`). Sizes in metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.pieces import housing, lamp, piece
from pipeline.light.shapes import (
    Mesh,
    Vector,
    barrel,
    beam,
    box,
    merged,
    moved,
    rectangle,
    revolved,
    standing_box,
    unit,
)
from pipeline.surface.material import Rgb

FLOOR_Z: Final = -0.9
"""Height of a work table above the floor."""


@dataclass(frozen=True, eq=False)
class Room:
    """The pieces and emitters of a room. Radiances are relative to each other."""

    lamps: tuple[LampMesh, ...]
    pieces: tuple[SurroundingMesh, ...]
    clear_radius: float
    """Nothing but the room's shell stands within this many metres of the vertical through the table's middle."""
    clear_height: float
    """Nothing hangs lower than this many metres above the table."""


@dataclass(frozen=True)
class Hall:
    """The inside of a room: x, y and the ceiling's z, metres."""

    x: tuple[float, float]
    y: tuple[float, float]
    ceiling: float


def shell(hall: Hall, floor: Rgb, ceiling: Rgb, wall: Rgb, dado: Rgb, *, dado_height: float) -> list[SurroundingMesh]:
    """Floor, ceiling and four walls with a painted dado of *dado_height* above the floor, all facing inwards."""
    (x0, x1), (y0, y1) = hall.x, hall.y
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    size = (x1 - x0, y1 - y0)
    pieces = [
        piece("floor", _slab((middle_x, middle_y, FLOOR_Z), (0, 0, 1), *size), floor, roughness=0.35, mottle=0.15),
        piece("ceiling", _slab((middle_x, middle_y, hall.ceiling), (0, 0, -1), *size), ceiling, roughness=0.8),
    ]
    border = FLOOR_Z + dado_height
    for low, high, color, roughness in ((FLOOR_Z, border, dado, 0.35), (border, hall.ceiling, wall, 0.7)):
        z, height = (low + high) / 2, high - low
        sides = [
            rectangle((x0, middle_y, z), (1, 0, 0), size[1], height),
            rectangle((x1, middle_y, z), (-1, 0, 0), size[1], height),
            rectangle((middle_x, y0, z), (0, 1, 0), size[0], height),
            rectangle((middle_x, y1, z), (0, -1, 0), size[0], height),
        ]
        pieces.append(piece("wall", merged(sides), color, roughness=roughness, mottle=0.06, mottle_scale_m=0.8))
    return pieces


def _slab(centre: tuple[float, float, float], normal: tuple[int, int, int], width: float, height: float) -> Mesh:
    # upright_frame of a horizontal rectangle has its right along +x or -x: width is always along x.
    return rectangle(centre, normal, width, height)


def linear_luminaire(
    light_id: str, group: str, x: float, y: float, z: float, *, size: tuple[float, float], radiance: Rgb
) -> tuple[LampMesh, SurroundingMesh]:
    """A hanging luminaire of (length along x, width) that shines down, with its dark body."""
    length, width = size
    face = rectangle((x, y, z), (0, 0, -1), length, width)
    body = box(
        (x - length / 2 - 0.03, y - width / 2 - 0.02, z + 0.002),
        (x + length / 2 + 0.03, y + width / 2 + 0.02, z + 0.07),
    )
    return lamp(light_id, "luminaire", group, face, radiance), housing(body)


def window(
    light_id: str,
    group: str,
    centre: tuple[float, float, float],
    normal: tuple[float, float, float],
    *,
    size: tuple[float, float],
    sky: Rgb,
    ground: Rgb,
    panes: tuple[int, int],
) -> tuple[list[LampMesh], SurroundingMesh]:
    """A window: sky above, what stands outside below, and a frame with mullions before it.

    *size*: width and height; *panes*: number of panes across and up. Two lamps: "<light_id>_sky" and "_ground".
    """
    width, height = size
    facing, middle = unit(normal), np.array(centre)
    upper, lower = 0.6 * height, 0.4 * height
    lift = np.array([0.0, 0.0, 1.0])
    lamps = [
        lamp(f"{light_id}_sky", "window", group, rectangle(middle + lift * lower / 2, facing, width, upper), sky),
        lamp(f"{light_id}_ground", "window", group, rectangle(middle - lift * upper / 2, facing, width, lower), ground),
    ]
    return lamps, piece("window_frame", _mullions(middle + 0.03 * facing, facing, size, panes), (0.08, 0.08, 0.085))


def _mullions(middle: Vector, facing: Vector, size: tuple[float, float], panes: tuple[int, int]) -> Mesh:
    right, up = np.array([-facing[1], facing[0], 0.0]), np.array([0.0, 0.0, 1.0])
    half_width, half_height = size[0] / 2 * right, size[1] / 2 * up
    bars = [
        beam(middle + t * half_width - half_height, middle + t * half_width + half_height, 0.05)
        for t in np.linspace(-1.0, 1.0, panes[0] + 1)
    ]
    bars += [
        beam(middle + t * half_height - half_width, middle + t * half_height + half_width, 0.05)
        for t in np.linspace(-1.0, 1.0, panes[1] + 1)
    ]
    return merged(bars)


def cabinet(
    label: str, x: float, y: float, size: tuple[float, float, float], turn: float, color: Rgb
) -> list[SurroundingMesh]:
    """A machine or cabinet of (length, width, height) on the floor: a body, a dark plinth and a dark panel in front."""
    length, width, height = size
    plinth = standing_box(x, y, (length * 0.97, width * 0.97, 0.12), base=FLOOR_Z, turn=turn)
    body = standing_box(x, y, (length, width, height - 0.12), base=FLOOR_Z + 0.12, turn=turn)
    c, s = math.cos(turn), math.sin(turn)
    reach = width / 2 + 0.004
    panel = standing_box(
        x + s * reach, y - c * reach, (length * 0.55, 0.02, height * 0.35), base=FLOOR_Z + 0.5 * height, turn=turn
    )
    return [
        piece(label, merged([plinth, panel]), (0.02, 0.02, 0.022), roughness=0.25),
        piece(label, body, color, roughness=0.35),
    ]


def shelf(x: float, y: float, turn: float) -> list[SurroundingMesh]:
    """An open shelf 2 m wide and 2.1 m high with bins of several colours on four boards."""
    posts = [
        box((sx - 0.03, sy - 0.03, 0.0), (sx + 0.03, sy + 0.03, 2.1)) for sx in (-0.97, 0.97) for sy in (-0.22, 0.22)
    ]
    heights = (0.15, 0.7, 1.25, 1.8)
    boards = [box((-1.0, -0.25, h), (1.0, 0.25, h + 0.03)) for h in heights]
    pieces = [piece("shelf", _placed(merged(posts + boards), x, y, turn), (0.10, 0.14, 0.22), roughness=0.4)]
    colors: tuple[Rgb, ...] = ((0.45, 0.06, 0.04), (0.04, 0.11, 0.35), (0.50, 0.36, 0.05), (0.33, 0.25, 0.16))
    for i, color in enumerate(colors):
        bins = [
            box(
                (-0.9 + 0.47 * k, -0.2, heights[(i + k) % 4] + 0.03),
                (-0.52 + 0.47 * k, 0.2, heights[(i + k) % 4] + 0.27),
            )
            for k in range(4)
        ]
        pieces.append(piece("bin", _placed(merged(bins), x, y, turn), color, roughness=0.45))
    return pieces


def person(x: float, y: float, turn: float, overall: Rgb) -> list[SurroundingMesh]:
    """Somebody of 1.78 m who stands there in an overall."""
    legs = [barrel((s * 0.1, 0.0, 0.0), (s * 0.1, 0.0, 0.85), 0.085, 12) for s in (-1.0, 1.0)]
    arms = [barrel((s * 0.25, 0.03, 0.8), (s * 0.23, 0.0, 1.42), 0.05, 12) for s in (-1.0, 1.0)]
    profile = [(0.0, 1.5), (0.09, 1.48), (0.2, 1.4), (0.19, 1.15), (0.17, 0.95), (0.18, 0.8), (0.0, 0.8)]
    body = _placed(merged([*legs, *arms, revolved(profile, 16)]), x, y, turn)
    angles = np.linspace(math.pi / 2, -math.pi / 2, 9)
    head = revolved(np.stack([0.1 * np.cos(angles), 1.65 + 0.13 * np.sin(angles)], axis=1), 16)
    return [
        piece("person", body, overall, roughness=0.9, mottle=0.1),
        piece("person", _placed(head, x, y, turn), (0.45, 0.27, 0.19), roughness=0.5),
    ]


def _placed(mesh: Mesh, x: float, y: float, turn: float) -> Mesh:
    c, s = math.cos(turn), math.sin(turn)
    rotated = mesh.vertices @ np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
    return moved(Mesh(rotated, mesh.triangles), (x, y, FLOOR_Z))
