"""The real stages: which rooms each of them calls, and the rows it leaves.

Covers: part, render, truth and photos, and what goes into their keys beside fields and inputs (tool versions, the
tables of numbers they read). Does not cover: when they run (`driver`), how the rooms work. The rooms are imported
when a stage runs, so that planning stays quick.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.dataset.folders import full_disk_errors
from pipeline.dataset.store import ROWS_FILE
from pipeline.graph.children import on_stop
from pipeline.graph.paint_stage import PICTURE, PaintStage, painted_role
from pipeline.graph.stage import PART_ROLE, Machine, Resource, RunReport
from pipeline.graph.tool_versions import versions
from pipeline.graph.transfer_stage import TransferStage
from pipeline.records import from_dict, read_json, sha256_file, sha256_json, to_dict, write_json
from pipeline.spec.clip import ClipSpec
from pipeline.spec.fields import scene_of_render_fields
from pipeline.spec.painted import PaintedKind
from pipeline.spec.scene import PhotoSpec, SceneSpec
from pipeline.tables import assets_root

if TYPE_CHECKING:
    from pipeline.arrange.arrangement import Arrangement
    from pipeline.bundle import SceneBundle
    from pipeline.light.backdrop import Backdrop
    from pipeline.parts.part import Part
    from pipeline.surface.material import MetalMaterial, PlainMaterial

RENDER_TABLES: Final = (
    "metals",
    "processes",
    "finishes",
    "films",
    "defects",
    "supports",
    "rigs",
    "surroundings",
)
PHOTO_TABLES: Final = ("sensors", "lenses", "spectra")
_LAYER_FILES: Final = {
    "layers": "light.exr",
    "terms": "terms.exr",
    "depth": "depth.exr",
    "normal": "normal.exr",
    "position": "position.exr",
    "instance": "instance.png",
    "object": "object.png",
    "face": "face.png",
    "material": "material.png",
    "reflection": "reflection.exr",
    "direct": "direct.exr",
}
_CAST_LIGHT_FILES: Final = {"cast_light": "cast_light.exr", "thrower": "thrower.png", "cast_lamp": "cast_lamp.png"}
"""Layers of scenes with `cast_light` in [render]."""


_GLASS_FILES: Final = {
    "mirror": "mirror.exr",
    "mirror_reflection": "mirror_reflection.exr",
    "context": "context.exr",
}
"""Layers of views through glass."""


class PartStage:
    """A CAD file becomes a Part."""

    name = "part"
    version = 1
    resource: Resource = "cpu"

    def tools(self) -> Mapping[str, str]:
        """The CAD kernel and the mesh library."""
        return versions("cascadio", "trimesh", "scipy")

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Read the CAD file at role "cad" in a process of its own, unless it is remembered, and save the part."""
        from pipeline.parts.cache import remembered
        from pipeline.parts.limits import Limits, Tolerance
        from pipeline.parts.part import save_part
        from pipeline.parts.read import read_part

        def read() -> Part:
            return read_part(
                inputs["cad"],
                units=fields["units"],
                tolerance=Tolerance(**fields["tolerance"]),
                limits=Limits(seconds=machine.part_timeout_s, memory_bytes=machine.part_memory_bytes),
            )

        part = remembered(sha256_json([self.version, dict(self.tools()), dict(fields)]), read)
        save_part(part, out)
        return RunReport({"triangles": float(len(part.triangles))}, part.info.skipped)


class RenderStage:
    """A scene's parts are arranged, finished, lit and rendered into a light bundle."""

    name = "render"
    version = 5
    resource: Resource = "render"

    def tools(self) -> Mapping[str, str]:
        """Blender, what places parts and writes layers, and the tables of metals, finishes, rigs and surroundings."""
        libraries = versions(
            "bpy", "numpy", "scipy", "shapely", "mujoco-core", "manifold3d", "openimageio", "opencv-python", "embreex"
        )
        return {**libraries, **table_hashes(*RENDER_TABLES)}

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write the bundle, `scene.json` and the rows of scenes and views."""
        from pipeline.bundle import SCENE_FILE, load_bundle
        from pipeline.render.launch import render_in_child

        scene = scene_of_render_fields(dict(fields))
        temporary = tempfile.TemporaryDirectory(prefix="glint-", dir=machine.scratch)
        with temporary as scratch, full_disk_errors(Path(scratch), temporary=True):
            _prepare(scene, inputs, machine, Path(scratch))
            report = render_in_child(Path(scratch), out, machine.threads, machine.render_timeout_s)
            seconds = {**report.seconds, **_throw_light(scene, Path(scratch), out)}
            _keep_defects(Path(scratch), out)
        write_json(out / SCENE_FILE, to_dict(scene))
        bundle = load_bundle(out)
        write_json(out / ROWS_FILE, {"scenes": [_scene_row(scene, bundle)], "views": _view_rows(scene, bundle)})
        skipped = tuple(
            f"instance {defect.instance_id}: no {defect.kind}: {defect.reason}" for defect in bundle.skipped_defects
        )
        return RunReport({**seconds, "peak_memory_bytes": float(report.peak_rss_bytes)}, skipped)


class TruthStage:
    """What is true of every instance in every view, and what it reflects."""

    name = "truth"
    version = 3
    resource: Resource = "cpu"

    def tools(self) -> Mapping[str, str]:
        """The ray caster of the full silhouettes, and what makes and writes layers."""
        return versions("embreex", "pycocotools", "numpy", "openimageio", "opencv-python")

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write the rows of instances, cast light and defects, and the layers of reflections with their rows."""
        from pipeline.reflect.cast_light import cast_light_rows
        from pipeline.reflect.decomposition import decompose_views
        from pipeline.reflect.mirror_images import mirror_image_rows
        from pipeline.reflect.reflections import reflection_rows
        from pipeline.reflect.view_truth import edge_rows, joined_by_view
        from pipeline.truth.defects import defect_rows
        from pipeline.truth.instances import instance_rows

        bundle = inputs["render"]
        instances = instance_rows(bundle, _load_parts(inputs), _rendered_scene(bundle))
        rows = {
            "instances": instances,
            "reflections": reflection_rows(bundle),
            "mirror_images": mirror_image_rows(bundle),
            "cast_light": cast_light_rows(bundle),
            "defects": defect_rows(bundle),
        }
        rows["reflection_layers"] = joined_by_view(
            decompose_views(bundle, out),
            edge_rows(bundle, rows["defects"], out),
            _depth_failures(fields, inputs, out),
        )
        write_json(out / ROWS_FILE, rows)
        return RunReport({"instances": float(len(instances))})


class PhotosStage:
    """The bundle is developed into photos, and their highlights are found."""

    name = "photos"
    version = 7
    resource: Resource = "cpu"

    def tools(self) -> Mapping[str, str]:
        """The image library, and the tables of sensors, lenses and spectra."""
        return {**versions("opencv-python", "numpy", "pycocotools", "scipy"), **table_hashes(*PHOTO_TABLES)}

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write the pictures and the rows of photos and highlights."""
        from pipeline.camera.develop import develop_views
        from pipeline.clips.overexposed import OverexposedFrames
        from pipeline.reflect.highlights import highlight_rows

        bundle = inputs["render"]
        photos = tuple(from_dict(PhotoSpec, photo) for photo in fields["photos"])
        scene = replace(_rendered_scene(bundle), split=fields["split"], photos=photos, clip=_clip_of(fields))
        rows: dict[str, list[dict[str, Any]]] = {"photos": [], "highlights": [], "glass": [], "overexposed": []}
        overexposed = OverexposedFrames(bundle, out)
        for developed in develop_views(scene, bundle, out):
            rows["photos"] += [photo.row for photo in developed]
            rows["glass"] += [photo.glass_row for photo in developed if photo.glass_row is not None]
            rows["highlights"] += highlight_rows(bundle, developed)
            rows["overexposed"] += overexposed.add(developed)
        write_json(out / ROWS_FILE, rows)
        return RunReport({name: float(len(found)) for name, found in rows.items()})


STAGES: Final = {
    stage.name: stage
    for stage in (PartStage(), PaintStage(), RenderStage(), TruthStage(), PhotosStage(), TransferStage())
}


@on_stop
def _stop_renders() -> None:
    """Kill this process's render child, if a render ever started one."""
    launch = sys.modules.get("pipeline.render.launch")
    if launch is not None:
        launch.stop_children()


@cache
def _table_hash(name: str) -> str:
    folder = assets_root() / "tables"
    files = [path for path in (folder / f"{name}.json", folder / f"{name}.toml") if path.is_file()]
    return sha256_file(files[0])[:16]


def table_hashes(*names: str) -> dict[str, str]:
    """A table's content is an input like any other: a corrected refractive index must render anew."""
    return {f"table {name}": _table_hash(name) for name in names}


def _load_parts(inputs: Mapping[str, Path]) -> dict[str, Part]:
    from pipeline.parts.part import load_part

    return {
        role.removeprefix(PART_ROLE): load_part(folder) for role, folder in inputs.items() if role.startswith(PART_ROLE)
    }


def _rendered_scene(bundle: Path) -> SceneSpec:
    """The SceneSpec that a bundle was rendered from; its split and photos are not the scene's."""
    from pipeline.bundle import SCENE_FILE

    return from_dict(SceneSpec, read_json(bundle / SCENE_FILE))


def _depth_failures(fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> list[dict[str, Any]]:
    """Layers and rows of the depth sensor, if the spec has one."""
    if "depth_sensor" not in fields:
        return []
    from pipeline.bundle import load_bundle
    from pipeline.reflect.view_truth import depth_failure_rows
    from pipeline.spec.depth_sensor import DepthSensorSpec
    from pipeline.truth.meshes import PartMeshes

    bundle = inputs["render"]
    meshes = PartMeshes(bundle, load_bundle(bundle), _load_parts(inputs), _rendered_scene(bundle))
    return depth_failure_rows(bundle, from_dict(DepthSensorSpec, fields["depth_sensor"]), meshes.in_camera, out)


def _clip_of(fields: Mapping[str, Any]) -> ClipSpec | None:
    return from_dict(ClipSpec, fields["clip"]) if "clip" in fields else None


def _prepare(scene: SceneSpec, inputs: Mapping[str, Path], machine: Machine, folder: Path) -> None:
    """Arrange, finish and light *scene*, and write its render job into *folder*."""
    from pipeline.arrange.arrange import arrange
    from pipeline.light.illuminate import illuminate
    from pipeline.parts.variation import varied_part
    from pipeline.render.job import prepare_job
    from pipeline.surface.defects.apply import apply_defects
    from pipeline.surface.variants import finish_items

    parts = _load_parts(inputs)
    surfaces = finish_items(scene.items, parts)  # first: a finish that does not fit is found before anything settles
    arrangement = arrange(scene, parts)
    copies = {item.instance_id: varied_part(parts[item.part_id], item.tolerance) for item in scene.items}
    prepare_job(
        scene,
        arrangement,
        copies,
        surfaces=surfaces,
        support_materials=_support_materials(scene, arrangement, inputs, folder),
        illumination=illuminate(scene, arrangement, inputs.get("world"), _backdrop(scene, inputs, folder)),
        threads=machine.threads,
        folder=folder,
        flawed={
            item.instance_id: apply_defects(copies[item.instance_id], surfaces[item.instance_id], item)
            for item in scene.items
            if item.defects
        },
    )


def _support_materials(
    scene: SceneSpec, arrangement: Arrangement, inputs: Mapping[str, Path], folder: Path
) -> dict[str, PlainMaterial | MetalMaterial]:
    """Look -> material; the look of the table is the painted surface where the scene has one."""
    from pipeline.surface.painted import painted_support
    from pipeline.surface.supports import support_material

    seed = scene.arrangement.seed
    materials = {support.look: support_material(support.look, seed) for support in arrangement.supports}
    surface = None if scene.painted is None else scene.painted.surface
    if surface is not None:
        picture, look = _picture(inputs, "surface", folder), scene.arrangement.surface
        materials[look] = painted_support(materials[look], picture, picture.name, surface.width_m, seed)
    return materials


def _backdrop(scene: SceneSpec, inputs: Mapping[str, Path], folder: Path) -> Backdrop | None:
    from pipeline.light.backdrop import Backdrop

    found = None if scene.painted is None else scene.painted.backdrop
    if found is None:
        return None
    picture = _picture(inputs, "backdrop", folder)
    return Backdrop(picture, picture.name, found.width_m)


def _picture(inputs: Mapping[str, Path], kind: PaintedKind, folder: Path) -> Path:
    """A painted picture, copied into the job's *folder*."""
    return Path(shutil.copyfile(inputs[painted_role(kind)] / PICTURE, folder / f"painted-{kind}.png"))


def _throw_light(scene: SceneSpec, job: Path, out: Path) -> dict[str, float]:
    """Add cast light to the bundle in *out*, if the scene wants it; named seconds."""
    from pipeline.render.cast_light.write import add_cast_light

    return {"cast_light_seconds": add_cast_light(job, out)} if scene.render.cast_light else {}


def _keep_defects(job: Path, out: Path) -> None:
    """Copy the rasters and changed meshes of defects from the job's folder into the bundle."""
    from pipeline.bundle import DEFECTS_FOLDER

    if (job / DEFECTS_FOLDER).is_dir():
        shutil.copytree(job / DEFECTS_FOLDER, out / DEFECTS_FOLDER)


def _scene_row(scene: SceneSpec, bundle: SceneBundle) -> dict[str, Any]:
    """What the render knows of the scenes row; the build adds the key, the split, the spec and the seconds."""
    return {
        "scene_id": scene.scene_id,
        "scene_index": scene.index,
        "seed": scene.seed,
        "arrangement": scene.arrangement.kind,
        "rig": scene.rigs[0].name,
        "rigs": [rig.name for rig in scene.rigs],
        "illuminance_lux": scene.rigs[0].illuminance_lux,
        "surroundings": scene.surroundings.name,
        **_painted_columns(scene),
        "light_groups": list(bundle.groups),
        "n_items": len(scene.items),
        "n_views": len(bundle.views),
        "samples": bundle.samples,
        **_noise_columns(bundle),
        "blender": bundle.blender,
    }


def _painted_columns(scene: SceneSpec) -> dict[str, Any]:
    """Which painted pictures the scene shows."""
    pictures = {} if scene.painted is None else scene.painted.pictures()
    return {f"painted_{kind}": picture.picture_id for kind, picture in pictures.items()}


def _noise_columns(bundle: SceneBundle) -> dict[str, Any]:
    """How the samples were chosen; nothing where the spec set them."""
    choice = bundle.samples_choice
    if choice is None:
        return {}
    return {
        "samples_wanted": choice.wanted,
        "noise_tolerated": choice.tolerated,
        "noise_untouched": choice.untouched,
        "noise_denoised": choice.denoised,
    }


def _optional_layers(scene: SceneSpec) -> dict[str, str]:
    """Layers that the spec may leave out."""
    reflections = scene.render.reflections
    second = {"reflection2": "reflection2.exr"} if reflections.bounces > 1 else {}
    rough = {"rough_reflection": "rough_reflection.exr"} if reflections.rough_rays else {}
    return {**second, **rough, **(_CAST_LIGHT_FILES if scene.render.cast_light else {})}


def _view_rows(scene: SceneSpec, bundle: SceneBundle) -> list[dict[str, Any]]:
    """Rows of the views table; paths are relative to the bundle."""
    rows = []
    for view in bundle.views:
        camera = view.camera
        folder = f"views/v{view.view_index}"
        row: dict[str, Any] = {
            "view_id": view.view_id,
            "scene_id": bundle.scene_id,
            "view_index": view.view_index,
            "camera_index": camera.camera_index,
            "rig": view.rig,
            "rig_scale": view.rig_scale,
            "analyser_transmission": view.analyser,
            "light_groups": list(view.groups),
            "defects_shown": view.defects,
            "twin_of": view.twin_of,
            **{name: getattr(camera, name) for name in ("width", "height", "fx", "fy", "cx", "cy")},
            "cam_from_world": list(camera.cam_from_world),
            "belt_shift_m": list(view.belt_shift_m) if any(view.belt_shift_m) else None,
            "bundle_path": "bundle.json",
        }
        files = {**_LAYER_FILES, **_optional_layers(scene), **({} if view.pane is None else _GLASS_FILES)}
        rows.append(row | {f"{layer}_path": f"{folder}/{file}" for layer, file in files.items()})
    return rows
