"""Flat samples of metal before a camera: plates of any material, in a white world or under one small lamp."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import bundle
from pipeline.arrange.arrangement import PlacedCamera
from pipeline.bundle import BundleObject, BundleView, SceneBundle
from pipeline.layers import read_layer
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import RenderSpec
from pipeline.surface.material import EmitterMaterial, MetalMaterial
from support import render_scenes as rs


class Samples:
    """A scene under construction; `render` gives the radiance of its views."""

    def __init__(self, folder: Path) -> None:
        (folder / "job").mkdir(parents=True)
        self.folder = folder
        self.assembler = _Assembler(folder / "job")
        self.count = 0

    def plate(self, material: MetalMaterial, centre: NDArray, u: NDArray, v: NDArray, lay_deg: float = 0.0) -> None:
        """A rectangle from centre - u - v to centre + u + v; its lay runs at *lay_deg* to v, from v towards -u."""
        vertices, triangles = rs.quad(list(centre), list(u), list(v))
        across, along = u / np.linalg.norm(u), v / np.linalg.norm(v)
        turn = np.radians(lay_deg)
        lay = along * np.cos(turn) - across * np.sin(turn)
        normal = np.cross(across, along)
        arms = vertices - centre
        groove = np.stack([arms @ np.cross(normal, lay), arms @ lay, np.zeros(4)], axis=1)
        mesh = self.assembler._plain(vertices, triangles, material)
        mesh |= {
            "normals": np.tile(normal.astype(np.float32), (4, 1)),
            "lay": np.tile(lay.astype(np.float32), (4, 1)),
            "lay_axis": np.zeros((4, 3), np.float32),
            "lay_origin": np.zeros((4, 3), np.float32),
            "groove": groove.astype(np.float32),
        }
        self.count += 1
        name = f"plate{self.count}"
        self._add(BundleObject(self.count, "part", name, name, None), mesh)

    def lamp(self, centre: NDArray, half: float, radiance: float) -> None:
        """A square lamp that shines downwards."""
        vertices, triangles = rs.quad(list(centre), [half, 0, 0], [0, -half, 0])
        material = EmitterMaterial("lamp", (radiance,) * 3)
        mesh = self.assembler._plain(vertices, triangles, material)
        self._add(BundleObject(rs.KEY, "light", "lamp", "softbox", "lamp"), mesh)

    def _add(self, entry: BundleObject, mesh: dict[str, NDArray]) -> None:
        self.assembler.add(entry, mesh)

    def render(self, cameras: Sequence[PlacedCamera], samples: int, world: float) -> list[NDArray[np.float64]]:
        """Noisy radiance (h, w, 3) of one view for each of *cameras*, in a world of radiance *world*."""
        groups = ("lamp", "world")
        views = tuple(BundleView(f"samples-v{i}", i, one, "any", 0, groups) for i, one in enumerate(cameras))
        entries = tuple(self.assembler.entries)
        job = RenderJob(
            scene_id="samples",
            render=RenderSpec(samples, False, 5),
            threads=2,
            groups=groups,
            world=ImageWorld(None, world, 0.0, "world"),
            materials=tuple(self.assembler.materials),
            objects=tuple(self.assembler.objects),
            bundle=SceneBundle("samples", "", samples, groups, entries, (), (), (), views),
        )
        write_json(self.folder / "job" / JOB_FILE, to_dict(job))
        out = self.folder / "out"
        out.mkdir()
        render_in_child(self.folder / "job", out, threads=2, timeout_s=300)
        folders = [bundle.view_folder(out, view.view_index) for view in views]
        return [read_layer(folder, "noisy").astype(np.float64) for folder in folders]


def above(height_m: float, width_m: float, pixels: int, aside_m: float = 0.0) -> PlacedCamera:
    """A camera that looks down from *height_m* on *width_m* of the plane z = 0; image x is x, image y is -y."""
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[:3, 3] = -pose[:3, :3] @ np.array([aside_m, 0.0, height_m])
    fx = pixels * height_m / width_m
    return PlacedCamera(0, tuple(float(v) for v in pose.ravel()), fx, fx, pixels / 2, pixels / 2, pixels, pixels)
