"""Checkerboards for the renderer: one mirrored in a polished plate, one engraved in a metal plate, one painted.

From left to right: a polished plate before a standing board, whose mirror image it shows; a plate whose squares have
two finishes; a painted board. Every line is known in closed form.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.arrange.arrangement import PlacedCamera, matrix
from pipeline.bundle import BundleObject, BundleView, SceneBundle
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler, _bundle_material
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import RenderSpec
from pipeline.surface.material import EmitterMaterial, MetalMaterial, PlainMaterial
from support.render_scenes import look_at, quad

MIRROR, ENGRAVED, PAINTED, BOARD, LAMP = 1, 2, 1001, 1002, 3001
SQUARES = 5
SIDE = 0.1
"""Every board and plate measures 100 mm, in squares of 20 mm."""
LEFT = {MIRROR: -0.11, ENGRAVED: 0.01, PAINTED: 0.13}
"""x of the left edge; plates lie at z = 0, y from -50 to 50 mm."""
BOARD_Y = 0.055
"""The standing board: above the back of the mirror, z from 0 to 100 mm."""
_IOR, _EXTINCTION = (2.408, 2.024, 1.652), (4.181, 3.645, 3.069)


def camera(width: int) -> PlacedCamera:
    """A camera half a metre away that sees all three, 3:1."""
    pose = look_at((0.06, -0.45, 0.3), (0.06, 0.0, 0.02))
    height = width // 2
    cam_from_world = tuple(float(v) for v in pose.ravel())
    return PlacedCamera(0, cam_from_world, width * 1.35, width * 1.35, width / 2, height / 2, width, height)


def pixels_of(placed: PlacedCamera, points: np.ndarray) -> np.ndarray:
    """(n, 2) pixel coordinates of world points (n, 3)."""
    pose = matrix(placed.cam_from_world)
    there = points @ pose[:3, :3].T + pose[:3, 3]
    return there[:, :2] / there[:, 2:] * [placed.fx, placed.fy] + [placed.cx, placed.cy]


def lines(corner: list[float], u: list[float], v: list[float], inner: bool = True) -> np.ndarray:
    """(n, 3) points 0.2 mm apart on the lines of a checkerboard that u and v (metres) span; *inner*: no outline."""
    c, a, b = (np.array(x, dtype=float) for x in (corner, u, v))
    along = np.linspace(0.0, 1.0, 501)[:, None]
    places = range(1, SQUARES) if inner else range(SQUARES + 1)
    found = [c + a * k / SQUARES + b * along for k in places] + [c + b * k / SQUARES + a * along for k in places]
    return np.concatenate(found)


def _checkers(corner: list[float], u: list[float], v: list[float]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Arrays of a mesh of squares, and 0 or 1 for each triangle."""
    vertices, triangles, parity = [], [], []
    a, b = np.array(u) / SQUARES / 2, np.array(v) / SQUARES / 2
    for i in range(SQUARES):
        for j in range(SQUARES):
            middle = np.array(corner) + (2 * i + 1) * a + (2 * j + 1) * b
            corners, pair = quad(list(middle), list(a), list(b))
            triangles.append(pair + 4 * len(vertices))
            vertices.append(corners)
            parity += [(i + j) % 2] * 2
    normal = np.cross(u, v) / np.linalg.norm(np.cross(u, v))
    count = 4 * len(vertices)
    arrays = {
        "vertices": np.concatenate(vertices),
        "triangles": np.concatenate(triangles).astype(np.int32),
        "normals": np.tile(np.float32(normal), (count, 1)),
    }
    return arrays, np.array(parity)


def _metal(name: str, alpha: float) -> MetalMaterial:
    return MetalMaterial(name, "stainless_austenitic", _IOR, _EXTINCTION, "polished", 0.1, alpha, alpha, "P")


def _plain(name: str, color: float, roughness: float = 0.6) -> PlainMaterial:
    return PlainMaterial(name, (color, color, color), roughness, 1.5, 0.0, 0.01)


def _add(assembler: _Assembler, entry: BundleObject, board, materials) -> None:
    arrays, parity = board
    count = len(arrays["vertices"])
    slots = np.array([assembler.material(m) for m in materials], np.int32)
    arrays["material"] = slots[parity % len(materials)]
    if isinstance(materials[0], MetalMaterial):
        arrays["lay"] = np.zeros((count, 3), np.float32)
        arrays["lay_axis"] = np.tile(np.float32([0, 0, 1]), (count, 1))
        arrays["lay_origin"] = np.zeros((count, 3), np.float32)
        arrays["face"] = (parity + 1).astype(np.int32)
    assembler.add(entry, arrays)


def render(folder: Path, width: int = 192, samples: int = 32) -> Path:
    """Render the scene below *folder*; the folder of its bundle."""
    (folder / "job").mkdir(parents=True)
    (folder / "out").mkdir()
    assembler = _Assembler(folder / "job")
    x, y = [SIDE, 0, 0], [0, SIDE, 0]
    black, white = _plain("black", 0.05), _plain("white", 0.7)
    for entry, corner, v, materials in (
        (BundleObject(MIRROR, "part", "mirror", "plate", None), [LEFT[MIRROR], -0.05, 0], y, [_metal("m", 0.002)]),
        (
            BundleObject(ENGRAVED, "part", "engraved", "plate", None),
            [LEFT[ENGRAVED], -0.05, 0],
            y,
            [_metal("smooth", 0.15), _metal("rough", 0.45)],
        ),
        (BundleObject(PAINTED, "support", "paint", "paint", None), [LEFT[PAINTED], -0.05, 0], y, [black, white]),
        (
            BundleObject(BOARD, "support", "board", "board", None),
            [LEFT[MIRROR], BOARD_Y, 0],
            [0, 0, SIDE],
            [black, white],
        ),
    ):
        _add(assembler, entry, _checkers(corner, x, v), materials)
    lamp = assembler._plain(
        *quad([0.1, -0.25, 0.5], [0.1, 0, 0], [0, -0.1, 0]), EmitterMaterial("key", (20.0, 20.0, 20.0))
    )
    assembler.add(BundleObject(LAMP, "light", "key", "softbox", "key"), lamp)
    groups = ("key", "world")
    view = BundleView("checker-v0", 0, camera(width), "any", 0, groups)
    materials = tuple(_bundle_material(m) for m in assembler.materials)
    entries = tuple(assembler.entries)
    job = RenderJob(
        scene_id="checker",
        render=RenderSpec(samples, True, 5),
        threads=2,
        groups=groups,
        world=ImageWorld(None, 0.3, 0.0, "world"),
        materials=tuple(assembler.materials),
        objects=tuple(assembler.objects),
        bundle=SceneBundle("checker", "", samples, groups, entries, materials, (), (), (view,)),
    )
    write_json(folder / "job" / JOB_FILE, to_dict(job))
    render_in_child(folder / "job", folder / "out", threads=2, timeout_s=300)
    return folder / "out"
