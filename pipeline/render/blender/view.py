"""One view: the beauty render and the probe render, written as the bundle's files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import bpy
import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera, matrix
from pipeline.bundle import PATH_TERMS, RADIANCE, BundleView, write_exr, write_ids
from pipeline.render.blender import denoise, panes, probe
from pipeline.render.blender.passes import Passes, read_passes, rgb, scalar
from pipeline.render.blender.scene import sample_for_beauty, set_camera
from pipeline.render.blender.stage import Stage
from pipeline.render.job import RenderJob

BEAUTY_PASSES: Final = [
    f"use_pass_{name}"
    for name in (
        "diffuse_direct",
        "diffuse_indirect",
        "diffuse_color",
        "glossy_direct",
        "glossy_indirect",
        "glossy_color",
        "transmission_direct",
        "transmission_indirect",
        "transmission_color",
        "emit",
        "environment",
    )
]
LOBES: Final = ("Diffuse", "Glossy", "Transmission")


@dataclass(frozen=True)
class ViewTimes:
    """Seconds that the parts of one view took."""

    beauty: float
    """Path tracing and denoising, scene synchronisation included; with glass, what its pane mirrors as well."""
    probe: float
    files: float
    """Reading Blender's files and writing the bundle's."""


class ViewRenderer:
    """Renders the views of one built scene, one after the other."""

    def __init__(self, scene: bpy.types.Scene, job: RenderJob, scratch: Path) -> None:
        self.scene, self.job, self.scratch = scene, job, scratch
        self.layer = scene.view_layers[0]
        self.probe = probe.Probe(self.layer)
        self.stage = Stage(scene, job)
        self.denoiser: denoise.GroupDenoiser | None = None
        self.groups: tuple[str, ...] = ()

    def render(self, view: BundleView, out: Path) -> ViewTimes:
        """Write one view's files into the existing folder *out*."""
        self.stage.set(view)
        self._collect(view.groups)
        set_camera(self.scene, view.camera)
        start = time.perf_counter()
        beauty = self._beauty()
        middle = time.perf_counter()
        truth = self._probe()
        end = time.perf_counter()
        layers = _layers(read_passes(beauty), view.groups)
        if self.denoiser is not None:
            _add_denoised(layers, read_passes(denoise.find_output(self.scratch)), view.groups)
        if view.analyser != 1.0:
            _filter(layers, view.analyser)
        write_exr(out / "layers.exr", layers, RADIANCE)
        _write_truth(read_passes(truth), view.camera, out)
        written = time.perf_counter()
        if view.pane is not None:
            panes.render_pane(self.scene, self.job, view, out, lambda: self._group_layers(view), self._probe)
        return ViewTimes(middle - start + time.perf_counter() - written, end - middle, written - end)

    def _group_layers(self, view: BundleView) -> dict[str, NDArray[Any]]:
        """The light groups of the scene as it stands: denoised where it is denoised, else untouched."""
        passes = read_passes(self._beauty())
        layers: dict[str, NDArray[Any]] = {}
        if self.denoiser is None:
            for group in self.groups:
                _add(layers, f"group.{group}", rgb(passes, f"Combined_{group}"))
        else:
            denoised = read_passes(denoise.find_output(self.scratch))
            for group in self.groups:
                _add(layers, f"denoised.{group}", _half(rgb(denoised, group)))
        if view.analyser != 1.0:
            _filter(layers, view.analyser)
        return layers

    def _collect(self, groups: tuple[str, ...]) -> None:
        """Let Cycles keep one image for each of *groups*, and denoise these."""
        if groups == self.groups:
            return
        while self.layer.lightgroups:
            self.layer.active_lightgroup_index = 0
            bpy.ops.scene.view_layer_remove_lightgroup()
        for group in groups:
            self.layer.lightgroups.add(name=group)
        if self.job.render.denoise:
            self.denoiser = denoise.GroupDenoiser(self.scene, self.layer, groups)
        self.groups = groups

    def _beauty(self) -> Path:
        sample_for_beauty(self.scene, self.job)
        for name in BEAUTY_PASSES:
            setattr(self.layer, name, True)
        self.layer.cycles.denoising_store_passes = self.job.render.denoise
        if self.denoiser is not None:
            self.denoiser.write_into(self.scratch)
            self.denoiser.switch(on=True)
        return self._render("beauty")

    def _probe(self) -> Path:
        if self.denoiser is not None:
            self.denoiser.switch(on=False)
        self.probe.enter(self.scene, BEAUTY_PASSES)
        try:
            return self._render("probe")
        finally:
            self.probe.leave(self.scene)

    def _render(self, stem: str) -> Path:
        path = self.scratch / f"{stem}.exr"
        self.scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        return path


def _layers(passes: Passes, groups: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """The channels of layers.exr from Blender's passes, before denoised images join them."""
    layers: dict[str, NDArray[Any]] = {}
    _add(layers, "combined", rgb(passes, "Combined"))  # overwritten where the scene is denoised
    _add(layers, "noisy", rgb(passes, "Combined"))
    for group in groups:
        _add(layers, f"group.{group}", rgb(passes, f"Combined_{group}"))
    for lobe in LOBES:
        color = rgb(passes, f"{lobe} Color")
        for order in ("Direct", "Indirect"):
            _add(layers, f"{lobe}_{order}".lower(), rgb(passes, f"{lobe} {order}") * color)
    for name in ("Emission", "Environment"):
        _add(layers, name.lower(), rgb(passes, name))
    for lobe in ("Diffuse", "Glossy"):
        _add(layers, f"{lobe}_color".lower(), _half(rgb(passes, f"{lobe} Color")))
    missing = [term for term in PATH_TERMS if f"{term}.R" not in layers]
    if missing:
        raise KeyError(f"expected every light-path term, missing {missing}")
    return layers


def _add_denoised(layers: dict[str, NDArray[Any]], passes: Passes, groups: tuple[str, ...]) -> None:
    """Add the denoised light groups, and their sum as the denoised combined image."""
    colors = {group: rgb(passes, group) for group in groups}
    _add(layers, "combined", _half(np.sum(list(colors.values()), axis=0)))
    for group, color in colors.items():
        _add(layers, f"denoised.{group}", _half(color))


def _filter(layers: dict[str, NDArray[Any]], transmission: float) -> None:
    """Take from every radiance what a filter before the lens absorbs; the colours of surfaces are no radiances."""
    for name, values in layers.items():
        if "_color." not in name:
            layers[name] = values * values.dtype.type(transmission)


def _half(color: NDArray[np.float32]) -> NDArray[np.float16]:
    """*color* as half floats; what is brighter than the largest of them stays finite."""
    return np.minimum(color, np.float32(np.finfo(np.float16).max)).astype(np.float16)


def _add(layers: dict[str, NDArray[Any]], name: str, color: NDArray[Any]) -> None:
    for channel, axis in enumerate("RGB"):
        layers[f"{name}.{axis}"] = color[..., channel]


def _write_truth(passes: Passes, camera: PlacedCamera, out: Path) -> None:
    """depth, normal, position, id layers and the reflection of one view."""
    objects = np.rint(scalar(passes, "Object Index")).astype(np.uint16)
    hit = objects > 0
    position = np.where(hit[..., None], rgb(passes, "Position"), np.float32(0.0))
    normal = np.where(hit[..., None], rgb(passes, "Normal"), np.float32(0.0))
    rotation = matrix(camera.cam_from_world)[:3, :3].astype(np.float32)
    depth = np.where(hit, scalar(passes, "Depth"), np.float32(0.0))
    write_exr(out / "depth.exr", {"Z": depth})
    write_exr(out / "normal.exr", _xyz(normal @ rotation.T))
    write_exr(out / "position.exr", _xyz(position))
    write_ids(out / "object.png", objects)
    write_ids(out / "instance.png", np.where(objects <= 1000, objects, 0).astype(np.uint16))
    for name, file in ((probe.FACE_AOV, "face.png"), (probe.MATERIAL_AOV, "material.png")):
        values = np.where(hit, np.rint(scalar(passes, name)), 0)
        write_ids(out / file, values.astype(np.uint16))
    write_exr(out / "reflection.exr", probe.decode(rgb(passes, "Combined"), hit))


def _xyz(vectors: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    return {axis: vectors[..., i] for i, axis in enumerate("XYZ")}
