"""A polished plate on the floor with a ball over it: what the plate mirrors is the ball turned over at its surface.

Either may be left out, and lamps may be many: then each highlight of the ball is where the law of reflection puts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import trimesh

from pipeline.arrange.arrangement import PlacedCamera
from pipeline.bundle import BundleObject, BundleView, SceneBundle
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import RenderSpec
from pipeline.surface.material import EmitterMaterial, MetalMaterial, PlainMaterial
from support import render_scenes as rs

STEEL = ((2.408, 2.024, 1.652), (4.181, 3.645, 3.069))
BALL_CENTRE = np.array([0.01, 0.02, 0.035])
BALL_RADIUS = 0.02
PLATE_HALF = 0.08
BALL, PLATE, FIRST_LAMP = 1, 2, rs.KEY
EYE, TARGET = (0.0, -0.3, 0.16), (0.0, 0.0, 0.01)


Quad = tuple[list[float], list[float], list[float]]
"""Centre and half edges u, v; it shines towards cross(u, v)."""
SOFTBOX = {"lamp": ([0.2, -0.1, 0.5], [0.1, 0.0, 0.0], [0.0, -0.1, 0.0])}


def polished(alpha: float) -> MetalMaterial:
    """Steel of GGX *alpha*."""
    return MetalMaterial("steel", "stainless_austenitic", *STEEL, "polished", 0.02, alpha, alpha, "C")


MIRROR = polished(0.01)
MATT = polished(0.3)


def camera(size: int = 160, zoom: float = 1.6) -> PlacedCamera:
    """A square camera that looks down on the plate; *zoom* is its focal length over its width."""
    pose = rs.look_at(EYE, TARGET)
    focal, middle = size * zoom, size / 2
    return PlacedCamera(0, tuple(float(v) for v in pose.ravel()), focal, focal, middle, middle, size, size)


def render(
    folder: Path,
    ball_centre: np.ndarray = BALL_CENTRE,
    plate: MetalMaterial | PlainMaterial | None = MIRROR,
    ball: MetalMaterial | None = MATT,
    samples: int = 8,
    size: int = 160,
    zoom: float = 1.6,
    lamps: Mapping[str, Quad] = SOFTBOX,
    world: float = 0.3,
) -> Path:
    """Render the ball and the plate (each left out when None) under *lamps*; returns the bundle's folder.

    A plate of PlainMaterial is a support, one of metal a part. Each lamp is its own light group.
    """
    (folder / "job").mkdir(parents=True)
    (folder / "out").mkdir()
    assembler = _Assembler(folder / "job")
    if ball is not None:
        body = trimesh.creation.icosphere(5, BALL_RADIUS)
        _add(assembler, BundleObject(BALL, "part", "ball", "ball", None), ball, body.vertices + ball_centre, body.faces,
             body.vertices / BALL_RADIUS)  # fmt: skip
    if plate is not None:
        vertices, triangles = rs.quad([0, 0, 0], [PLATE_HALF, 0, 0], [0, PLATE_HALF, 0])
        kind = "part" if isinstance(plate, MetalMaterial) else "support"
        index = PLATE if kind == "part" else rs.TABLE
        up = np.tile([0.0, 0.0, 1.0], (4, 1))
        _add(assembler, BundleObject(index, kind, "plate", "plate", None), plate, vertices, triangles, up)
    for number, (name, corners) in enumerate(lamps.items()):
        lamp = assembler._plain(*rs.quad(*corners), EmitterMaterial(name, (30.0,) * 3))
        assembler.add(BundleObject(FIRST_LAMP + number, "light", name, "softbox", name), lamp)
    groups = (*lamps, "world")
    view = BundleView("mirror-v0", 0, camera(size, zoom), "any", 0, groups)
    bundle = SceneBundle("mirror", "", samples, groups, tuple(assembler.entries), (), (), (), (view,))
    job = RenderJob(
        scene_id="mirror",
        render=RenderSpec(samples, False, 5),
        threads=2,
        groups=groups,
        world=ImageWorld(None, world, 0.0, "world"),
        materials=tuple(assembler.materials),
        objects=tuple(assembler.objects),
        bundle=bundle,
    )
    write_json(folder / "job" / JOB_FILE, to_dict(job))
    render_in_child(folder / "job", folder / "out", threads=2, timeout_s=300)
    return folder / "out"


def _add(assembler, entry, material, vertices, triangles, normals) -> None:
    mesh = assembler._plain(vertices, np.asarray(triangles, np.int32), material, np.asarray(normals, np.float32))
    if isinstance(material, MetalMaterial):
        count = len(vertices)
        mesh |= {
            "lay": np.zeros((count, 3), np.float32),
            "lay_axis": np.tile(np.float32([0, 0, 1]), (count, 1)),
            "lay_origin": np.zeros((count, 3), np.float32),
        }
    if entry.kind == "part":
        mesh["face"] = np.ones(len(triangles), np.int32)
    assembler.add(entry, mesh)
