"""What all rooms are made of: the record of a room, its shell and its floor markings.

Covers: floor, ceiling, walls, beams, in the room's own frame: the work table's top is z = 0, the floor FLOOR_Z; metres.
Does not cover: luminaires, windows, furniture and machines (their own modules), where they stand (`layout`), which room
holds what (`workshop`, `laboratory` ...), calibration (`surroundings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pipeline.light.dice import Dice
from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.pieces import piece
from pipeline.light.shapes import Mesh, box, merged, rectangle
from pipeline.surface.material import Rgb

FLOOR_Z: Final = -0.9
"""Height of a work table above the floor."""
SAFETY_YELLOW: Final[Rgb] = (0.72, 0.43, 0.012)
SAFETY_ORANGE: Final[Rgb] = (0.74, 0.14, 0.012)
SAFETY_RED: Final[Rgb] = (0.50, 0.025, 0.02)
HI_VIS: Final[Rgb] = (0.55, 0.75, 0.03)


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

    @property
    def size(self) -> tuple[float, float]:
        """Length along x and width along y."""
        return self.x[1] - self.x[0], self.y[1] - self.y[0]

    @property
    def middle(self) -> tuple[float, float]:
        """x and y of its middle."""
        return (self.x[0] + self.x[1]) / 2, (self.y[0] + self.y[1]) / 2


@dataclass(frozen=True)
class Paint:
    """Linear reflectances of a room's shell."""

    floor: Rgb
    ceiling: Rgb
    wall: Rgb
    dado: Rgb
    """Painted lower part of the walls."""
    dado_height: float
    floor_roughness: float = 0.35


def drawn_hall(dice: Dice, length: tuple[float, float], width: tuple[float, float], ceiling: float) -> Hall:
    """A hall of drawn size; the table stands off its middle, never nearer to a wall than 0.42 of its side."""
    x, y = dice.between(*length), dice.between(*width)
    east, north = dice.between(0.42, 0.58), dice.between(0.42, 0.58)
    return Hall((-x * (1 - east), x * east), (-y * (1 - north), y * north), ceiling)


def shell(hall: Hall, paint: Paint, dice: Dice) -> list[SurroundingMesh]:
    """Floor, ceiling and four walls, each with a cast of its own, above a painted dado; all facing inwards."""
    middle_x, middle_y = hall.middle
    floor = rectangle((middle_x, middle_y, FLOOR_Z), (0, 0, 1), *hall.size)
    ceiling = rectangle((middle_x, middle_y, hall.ceiling), (0, 0, -1), *hall.size)
    pieces = [
        piece("floor", floor, paint.floor, roughness=paint.floor_roughness, mottle=0.2, mottle_scale_m=0.5),
        piece("ceiling", ceiling, paint.ceiling, roughness=0.8),
    ]
    border = FLOOR_Z + paint.dado_height
    for side in _sides(hall, border, hall.ceiling):
        pieces.append(piece("wall", side, dice.tinted(paint.wall, 0.18), roughness=0.7, mottle=0.1, mottle_scale_m=1.0))
    dado = merged(_sides(hall, FLOOR_Z, border))
    pieces.append(piece("wall", dado, paint.dado, roughness=0.35, mottle=0.1, mottle_scale_m=0.6))
    return pieces


def _sides(hall: Hall, low: float, high: float) -> list[Mesh]:
    (x0, x1), (y0, y1) = hall.x, hall.y
    middle_x, middle_y = hall.middle
    z, height = (low + high) / 2, high - low
    return [
        rectangle((x0, middle_y, z), (1, 0, 0), hall.size[1], height),
        rectangle((x1, middle_y, z), (-1, 0, 0), hall.size[1], height),
        rectangle((middle_x, y0, z), (0, 1, 0), hall.size[0], height),
        rectangle((middle_x, y1, z), (0, -1, 0), hall.size[0], height),
    ]


def aisle(hall: Hall, dice: Dice) -> list[SurroundingMesh]:
    """Painted lines of 10 cm on the floor: both borders of an aisle, and a hatched field beside it."""
    y = hall.y[0] + 0.22 * hall.size[1]
    width, top = dice.between(1.4, 2.2), FLOOR_Z + 0.003
    lines = [
        box((hall.x[0] + 0.2, edge - 0.05, FLOOR_Z), (hall.x[1] - 0.2, edge + 0.05, top)) for edge in (y, y + width)
    ]
    start = dice.between(hall.x[0] + 0.5, hall.x[1] - 3.0)
    depth = hall.y[1] - 1.2
    lines += [box((start + 0.45 * k, depth, FLOOR_Z), (start + 0.45 * k + 0.2, depth + 0.9, top)) for k in range(5)]
    return [piece("floor_marking", merged(lines), SAFETY_YELLOW, roughness=0.4)]


def beams(hall: Hall, dice: Dice, *, below: float) -> list[SurroundingMesh]:
    """Steel beams across the hall, *below* metres high, with columns at the walls and a cable tray."""
    count = max(2, round(hall.size[0] / dice.between(3.0, 5.0)))
    spacing = hall.size[0] / count
    top, low = hall.ceiling - 0.02, hall.ceiling - below
    made = []
    for k in range(count):
        x = hall.x[0] + spacing * (k + 0.5)
        made.append(box((x - 0.08, hall.y[0], low), (x + 0.08, hall.y[1], top)))
        made += [
            box((x - 0.11, y - 0.11, FLOOR_Z), (x + 0.11, y + 0.11, low)) for y in (hall.y[0] + 0.1, hall.y[1] - 0.1)
        ]
    tray_y = dice.between(hall.y[0] + 1.0, hall.y[1] - 1.0)
    tray = box((hall.x[0], tray_y - 0.15, low - 0.12), (hall.x[1], tray_y + 0.15, low - 0.04))
    colors: tuple[Rgb, ...] = ((0.07, 0.10, 0.14), (0.30, 0.31, 0.31), (0.06, 0.12, 0.25), (0.12, 0.14, 0.13))
    return [
        piece("beam", merged(made), dice.one_of(colors), roughness=0.45),
        piece("cable_tray", tray, (0.35, 0.36, 0.37), roughness=0.4),
    ]
