"""Scenes behind a pane for the renderer: boxes of even light, walls with coloured tiles, their mirror image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipeline.arrange.arrangement import PlacedCamera, PlacedPane
from pipeline.bundle import FIRST_LAMP, FIRST_SURROUNDING, BundleObject, BundleView, SceneBundle
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import RenderSpec
from pipeline.surface.material import EmitterMaterial, PlainMaterial
from support import render_scenes as rs

Corners = tuple[np.ndarray, np.ndarray]


@dataclass
class Lamp:
    """An evenly glowing mesh."""

    group: str
    radiance: tuple[float, float, float]
    mesh: Corners


@dataclass
class Thing:
    """A grey mesh that does not glow."""

    mesh: Corners
    camera_visible: bool = True
    body_of: int | None = None


@dataclass
class Room:
    """What is rendered, by cameras with or without panes."""

    lamps: Sequence[Lamp]
    shots: Sequence[tuple[PlacedCamera, PlacedPane | None]]
    things: Sequence[Thing] = ()
    samples: int = 4
    denoise: bool = False
    analyser: float = 1.0
    groups: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.groups = tuple(dict.fromkeys(lamp.group for lamp in self.lamps))

    def render(self, folder: Path) -> tuple[Path, SceneBundle]:
        """Render into *folder*/out; the bundle's folder and record."""
        job, out = folder / "job", folder / "out"
        job.mkdir(parents=True)
        out.mkdir()
        record = self._write(job)
        render_in_child(job, out, threads=2, timeout_s=300)
        return out, record

    def _write(self, folder: Path) -> SceneBundle:
        assembler = _Assembler(folder)
        for number, thing in enumerate(self.things):
            plain = PlainMaterial("grey", (0.5, 0.4, 0.3), 0.6, 1.5, 0.0, 0.01)
            entry = BundleObject(FIRST_SURROUNDING + number, "surroundings", "thing", "thing", None)
            arrays = assembler._plain(*thing.mesh, plain)
            assembler.add(entry, arrays, camera_visible=thing.camera_visible, body_of=thing.body_of)
        for number, lamp in enumerate(self.lamps):
            material = EmitterMaterial(f"lamp{number}", lamp.radiance)
            entry = BundleObject(FIRST_LAMP + number, "light", f"lamp{number}", "panel", lamp.group)
            assembler.add(entry, assembler._plain(*lamp.mesh, material))
        views = tuple(
            BundleView(
                f"glass-v{k}",
                k,
                replace(camera, camera_index=k),
                "any",
                0,
                self.groups,
                analyser=self.analyser,
                pane=pane,
            )
            for k, (camera, pane) in enumerate(self.shots)
        )
        bundle = SceneBundle("glass", "", self.samples, self.groups, tuple(assembler.entries), (), (), (), views)
        job = RenderJob(
            scene_id="glass",
            render=RenderSpec(self.samples, self.denoise, 5),
            threads=2,
            groups=self.groups,
            world=ImageWorld(None, 0.0, 0.0, self.groups[0]),
            materials=tuple(assembler.materials),
            objects=tuple(assembler.objects),
            bundle=bundle,
        )
        write_json(folder / JOB_FILE, to_dict(job))
        return bundle


def inward_box(half: float) -> Corners:
    """A box about the origin whose faces look inwards."""
    vertices, triangles = [], []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal, u = np.zeros(3), np.zeros(3)
            normal[axis], u[(axis + 1) % 3] = -sign, half
            corners, faces = rs.quad(list(-normal * half), list(u), list(np.cross(normal, u)))
            triangles.append(faces + 4 * len(vertices))
            vertices.append(corners)
    return np.concatenate(vertices), np.concatenate(triangles)


def mirrored(mesh: Corners, point: np.ndarray, normal: np.ndarray) -> Corners:
    """The mesh behind a mirror through *point* with unit *normal*; its triangles turned so that fronts stay fronts."""
    vertices, triangles = mesh
    heights = (vertices - point) @ normal
    return vertices - 2.0 * heights[:, None] * normal, triangles[:, ::-1].copy()
