"""Jaw plates of a vice: serrated in the middle, screwed on with two socket head screws in counterbores.

The lands between the serrations lie in one plane, which is what touches the part. Does not cover: where the jaws are
(`holders`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.arrange.plates import Plate, Pocket, joined, plate_mesh
from pipeline.arrange.sweep import Mesh, Rectangle

SERRATION_M: Final = (0.0018, 0.0006)
"""Pitch and depth of the serrations."""
_EDGE_M: Final = 0.0005
_SCREW_SHARE: Final = (0.78, 0.17)
"""Place of a screw along half the jaw, and its head's radius over the plate's height."""


def jaw_plate(half: float, low: float, high: float, thick: float) -> Mesh:
    """A plate of 2 *half* by *low* to *high* whose serrated face is y = 0, facing +y; *thick* reaches to y = -thick."""
    tall, middle = high - low, (low + high) / 2.0
    head = min(_SCREW_SHARE[1] * tall, 0.12 * half, 0.007)
    screws = [(side * _SCREW_SHARE[0] * half, 0.0) for side in (-1.0, 1.0)]
    bore = min(0.6 * thick, 1.1 * head)
    pockets = [Pocket(_dot(x), 1.12 * head, floor=-bore, segments=6) for x, _ in screws]
    pockets += [
        Pocket(shapely.box(-reach, at - 5e-5, reach, at + 5e-5), 1e-4, floor=-SERRATION_M[1], segments=3, draft=4e-4)
        for at, reach in _serrations(tall, (_SCREW_SHARE[0] * half) - 1.6 * head)
    ]
    plate = Plate(Rectangle(half, tall / 2.0, 0.0012), pockets, top=0.0, floor=-bore, low=-thick, edge=1e-4)
    meshes = [plate_mesh(plate)]
    meshes += [_screw(x, head, bore) for x, _ in screws]
    return _upright(joined(meshes), middle)


def _serrations(tall: float, reach: float) -> list[tuple[float, float]]:
    """(place across the plate, half length) of each groove."""
    pitch = max(SERRATION_M[0], tall / 24.0)
    count = int((tall / 2.0 - 2.0 * pitch) / pitch)
    return [(k * pitch, reach) for k in range(-count, count + 1)] if reach > pitch else []


def _dot(x: float) -> shapely.Geometry:
    return shapely.box(x - 1e-4, -1e-4, x + 1e-4, 1e-4)


def _screw(x: float, head: float, bore: float) -> Mesh:
    """The head of a socket head screw, its top a little below the plate's face."""
    angle = np.arange(6) * np.pi / 3.0
    across = 0.5 * head
    socket = shapely.Polygon(np.column_stack([x + across * np.cos(angle), across * np.sin(angle)]))
    top = -0.12 * bore
    outside = Rectangle(head, head, 0.999 * head, (x, 0.0))
    hole = Pocket(socket, 1e-4, floor=top - 0.5 * bore, segments=3)
    return plate_mesh(Plate(outside, [hole], top=top, floor=top - 0.5 * bore, low=1e-5 - bore, edge=0.06 * head))


def _upright(mesh: Mesh, height: float) -> Mesh:
    """A plate drawn flat (x, y, z) set up: its top faces +y, its x stays, its y points down."""
    vertices, normals, triangles = mesh
    turn: NDArray[np.float64] = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    return vertices @ turn.T + np.array([0.0, 0.0, height]), (normals @ turn.T).astype(np.float32), triangles
