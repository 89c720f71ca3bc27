"""Light bundles made by hand: the layers are given as arrays, everything else has sensible values.

Covers: specs, bundles and parts for tests that need no renderer. Does not cover: what a real render looks like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from pipeline import bundle as bundles
from pipeline.arrange.arrangement import PlacedCamera, PlacedItem
from pipeline.layers import REC709_LUMINANCE, write_parts
from pipeline.parts.part import Face, Part, PartInfo, Solid, Symmetries
from pipeline.records import write_json
from pipeline.spec.scene import (
    SCENE_SCHEMA_VERSION,
    ArrangementSpec,
    CameraSpec,
    ItemSpec,
    PhotoSpec,
    RenderSpec,
    RigSpec,
    SceneSpec,
    SurroundingsSpec,
    view_id_of,
)

IDENTITY = tuple(float(v) for v in np.eye(4).ravel())

PHOTO = PhotoSpec(
    view_index=0,
    photo_index=0,
    seed=7,
    exposure_ev=0.0,
    light_weights={},
    light_cct_k={},
    white_balance_k=6504.0,
    sensor="mv_global_shutter_color",
    lens="c_mount_25mm",
    f_number=4.0,
    tone="srgb",
    image_format="png",
)


def camera(width: int = 64, height: int = 48, focal_px: float = 80.0) -> PlacedCamera:
    """A camera at the world's origin that looks along z (x right, y down)."""
    return PlacedCamera(0, IDENTITY, focal_px, focal_px, width / 2.0, height / 2.0, width, height)


def moved(x: float, y: float, z: float, rotation: np.ndarray | None = None) -> tuple[float, ...]:
    """A rigid 4x4 matrix, row-major."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3) if rotation is None else rotation
    matrix[:3, 3] = (x, y, z)
    return tuple(float(v) for v in matrix.ravel())


def part_of_mesh(mesh: trimesh.Trimesh, name: str = "ball") -> Part:
    """A part of one face out of a mesh in metres."""
    bounds = tuple(tuple(float(v) for v in corner) for corner in mesh.bounds)
    face = Face(0, 0, "freeform", float(mesh.area), None, None, None, None, None, None, None)
    info = PartInfo(
        name=name,
        source_file=f"{name}.step",
        source_sha256="0" * 64,
        file_format="step",
        units="mm",
        units_source="file",
        solids=(Solid(0, name, None, True, float(mesh.volume)),),
        faces=(face,),
        bounds_m=bounds,
        diameter_m=float(np.linalg.norm(mesh.extents)),
        volume_m3=float(mesh.volume),
        area_m2=float(mesh.area),
        watertight=True,
        tolerance_m=1e-5,
        exact_normals=True,
        skipped=(),
        resting_poses=(),
        symmetries=Symmetries((), (((0.0, 0.0, 1.0), (0.0, 0.0, 0.0)),)),
    )
    triangles = np.asarray(mesh.faces, dtype=np.int32)
    zeros = np.zeros(len(triangles), dtype=np.int32)
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    return Part(info, vertices, np.asarray(mesh.vertex_normals, dtype=np.float32), triangles, zeros, zeros)


def ball(radius_m: float = 0.02, subdivisions: int = 5) -> Part:
    """A sphere about the part frame's origin."""
    return part_of_mesh(trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius_m))


def item(instance_id: int, part_id: str = "ball") -> ItemSpec:
    return ItemSpec(
        instance_id, part_id, f"assets:parts/{part_id}.step", None, "sphere", "steel", "turned", 0.5, 1.0, 0.1, 0.0
    )


def scene_of(photos: Sequence[PhotoSpec], instance_ids: Sequence[int] = (1,), view: PlacedCamera | None = None) -> Any:
    """A SceneSpec with these photos and items."""
    view = view or camera()
    return SceneSpec(
        schema_version=SCENE_SCHEMA_VERSION,
        dataset="made",
        index=0,
        scene_id="made-000000",
        seed=1,
        split="train",
        items=tuple(item(i) for i in instance_ids),
        arrangement=ArrangementSpec("table", "plain", 0.005, 1),
        rigs=(RigSpec("any", 0.0, 1.0),),
        surroundings=SurroundingsSpec("any", 0.0, 0.1),
        cameras=(CameraSpec(0, 0.0, 1.0, 0.0, 0.5, None, 35.0, 36.0, view.width, view.height, (0.0, 0.0, 0.0)),),
        twins=False,
        render=RenderSpec(16, True, 1),
        photos=tuple(photos),
    )


def photo(**changes: Any) -> PhotoSpec:
    return replace(PHOTO, **changes)


@dataclass
class MadeView:
    """The layers of a view; what is None gets a value that fits."""

    groups: Mapping[str, np.ndarray]
    """Light group -> (h, w, 3)."""
    instance: np.ndarray | None = None
    face: np.ndarray | None = None
    glossy_direct: np.ndarray | None = None
    """(h, w, 3); None = all light is mirrored directly."""
    probe_object: np.ndarray | None = None
    probe_distance: np.ndarray | None = None
    objects: Sequence[bundles.BundleObject] = ()
    items: Sequence[PlacedItem] = ()
    finishes: Sequence[bundles.BundleFinish] = ()
    denoised: bool = True
    camera: PlacedCamera | None = None
    extra: dict[str, np.ndarray] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the bundle into *folder* and return it."""
        first = next(iter(self.groups.values()))
        height, width = first.shape[:2]
        view = self.camera or camera(width, height)
        layers_folder = bundles.view_folder(folder, 0)
        layers_folder.mkdir(parents=True)
        zeros = np.zeros((height, width), dtype=np.uint16)
        for file, parts in self._layers().items():
            write_parts(layers_folder / file, parts, "zip:1")
        bundles.write_ids(layers_folder / "instance.png", zeros if self.instance is None else self.instance)
        bundles.write_ids(layers_folder / "face.png", zeros if self.face is None else self.face)
        probe = {"object": self.probe_object, "distance": self.probe_distance}
        channels = {name: np.float32(zeros if values is None else values) for name, values in probe.items()}
        bundles.write_exr(layers_folder / "reflection.exr", channels)
        record = bundles.SceneBundle(
            scene_id="made-000000",
            blender="none",
            samples=1,
            groups=tuple(self.groups),
            objects=tuple(self.objects),
            materials=(),
            finishes=tuple(self.finishes),
            items=tuple(self.items),
            views=(bundles.BundleView(view_id_of("made-000000", 0), 0, view, "any", 0, tuple(self.groups)),),
        )
        write_json(folder / bundles.BUNDLE_FILE, record)
        return folder

    def _layers(self) -> dict[str, dict[str, np.ndarray]]:
        """File -> part -> values, not rounded: what the tests compute with is what they gave."""
        total = np.float32(sum(self.groups.values()))
        direct = total if self.glossy_direct is None else np.float32(self.glossy_direct)
        untouched = {f"group.{group}": np.float32(values) for group, values in self.groups.items()}
        denoised = {f"denoised.{group}": np.float32(values) for group, values in self.groups.items()}
        light = (denoised if self.denoised else untouched) | self.extra
        luminances = {"noisy": total @ REC709_LUMINANCE, "glossy_direct": direct @ REC709_LUMINANCE}
        terms = {"glossy_direct": direct, "glossy_indirect": total - direct}
        return {
            "light.exr": light | {name: values[..., None] for name, values in luminances.items()},
            "terms.exr": terms | (untouched if self.denoised else {}),
        }


def part_object(index: int) -> bundles.BundleObject:
    return bundles.BundleObject(index, "part", "ball", "sphere", None)


def lamp_object(index: int, light_id: str, group: str, kind: str = "bar") -> bundles.BundleObject:
    return bundles.BundleObject(index, "light", light_id, kind, group)


def support_object(index: int, label: str = "table") -> bundles.BundleObject:
    return bundles.BundleObject(index, "support", label, label, None)
