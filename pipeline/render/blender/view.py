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
from pipeline.bundle import PATH_TERMS, BundleView, LightSum, write_exr, write_ids
from pipeline.layers import COLORS, Layers, light_sums, write_layers
from pipeline.render.blender import denoise, panes, probe
from pipeline.render.blender.groove_frame import PIXEL_ANGLE
from pipeline.render.blender.passes import Passes, read_passes, rgb, scalar
from pipeline.render.blender.reflection_renders import ReflectionRenders
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
    """The truth layers: the mirror probe and the other renders of reflection truth, their files included."""
    files: float
    """Reading Blender's files and writing the bundle's."""


class ViewRenderer:
    """Renders the views of one built scene, one after the other."""

    def __init__(self, scene: bpy.types.Scene, job: RenderJob, scratch: Path) -> None:
        self.scene, self.job, self.scratch = scene, job, scratch
        self.layer = scene.view_layers[0]
        self.probe = probe.Probe(self.layer)
        self.reflections = ReflectionRenders(scene, job, scratch.parent)
        self.stage = Stage(scene, job)
        self.denoiser: denoise.GroupDenoiser | None = None
        self.groups: tuple[str, ...] = ()
        self.samples = job.render.samples

    def render(self, view: BundleView, out: Path) -> tuple[ViewTimes, LightSum]:
        """Write one view's files into the existing folder *out*."""
        self._enter(view)
        start = time.perf_counter()
        beauty = self._beauty(self.samples, self.job.render.seed)
        middle = time.perf_counter()
        truth = read_passes(self._probe())
        self.reflections.render(view, out, truth, self._render, self._probe)
        end = time.perf_counter()
        layers = self._layers(beauty, view)
        sums = LightSum(view.view_id, *light_sums(layers, view.groups))
        write_layers(out, layers, view.groups)
        _write_truth(truth, view.camera, out)
        written = time.perf_counter()
        if view.pane is not None:
            panes.render_pane(self.scene, self.job, view, out, lambda: self._group_layers(view), self._probe)
        return ViewTimes(middle - start + time.perf_counter() - written, end - middle, written - end), sums

    def picture(self, view: BundleView, samples: int, seed: int, scale: float) -> Layers:
        """The layers of one view at *scale* of its size, with other samples and another seed; no files are written."""
        self._enter(view)
        self.scene.render.resolution_percentage = round(100 * scale)
        self.scene[PIXEL_ANGLE] /= scale
        try:
            return self._layers(self._beauty(samples, seed), view)
        finally:
            self.scene.render.resolution_percentage = 100

    def _enter(self, view: BundleView) -> None:
        self.stage.set(view)
        self._collect(view.groups)
        set_camera(self.scene, view.camera)

    def _layers(self, beauty: Path, view: BundleView) -> Layers:
        layers = _layers(read_passes(beauty), view.groups)
        if self.denoiser is not None:
            _add_denoised(layers, read_passes(denoise.find_output(self.scratch)), view.groups)
        if view.analyser != 1.0:
            _filter(layers, view.analyser)
        return layers

    def _group_layers(self, view: BundleView) -> Layers:
        """The light groups of the scene as it stands: denoised where it is denoised, else untouched."""
        passes = read_passes(self._beauty(self.samples, self.job.render.seed))
        if self.denoiser is None:
            layers = {f"group.{group}": rgb(passes, f"Combined_{group}") for group in self.groups}
        else:
            layers = {}
            _add_denoised(layers, read_passes(denoise.find_output(self.scratch)), self.groups)
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

    def _beauty(self, samples: int, seed: int) -> Path:
        sample_for_beauty(self.scene, samples, seed)
        for name in BEAUTY_PASSES:
            setattr(self.layer, name, True)
        self.layer.cycles.denoising_store_passes = self.job.render.denoise
        if self.denoiser is not None:
            self.denoiser.write_into(self.scratch)
            self.denoiser.switch(on=True)
        return self._render("beauty")

    def _probe(self, bounces: int = 1) -> Path:
        if self.denoiser is not None:
            self.denoiser.switch(on=False)
        self.probe.enter(self.scene, BEAUTY_PASSES, bounces)
        try:
            return self._render("probe")
        finally:
            self.probe.leave(self.scene)

    def _render(self, stem: str) -> Path:
        path = self.scratch / f"{stem}.exr"
        self.scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        return path


def _layers(passes: Passes, groups: tuple[str, ...]) -> Layers:
    """The untouched layers of a view from Blender's passes."""
    layers = {"noisy": rgb(passes, "Combined")}
    for group in groups:
        layers[f"group.{group}"] = rgb(passes, f"Combined_{group}")
    for lobe in LOBES:
        color = rgb(passes, f"{lobe} Color")
        for order in ("Direct", "Indirect"):
            layers[f"{lobe}_{order}".lower()] = rgb(passes, f"{lobe} {order}") * color
    for name in ("Emission", "Environment"):
        layers[name.lower()] = rgb(passes, name)
    for lobe in ("Diffuse", "Glossy"):
        layers[f"{lobe}_color".lower()] = rgb(passes, f"{lobe} Color")
    missing = [term for term in PATH_TERMS if term not in layers]
    if missing:
        raise KeyError(f"expected every light-path term, missing {missing}")
    return layers


def _add_denoised(layers: Layers, passes: Passes, groups: tuple[str, ...]) -> None:
    """Add the denoised light groups; a denoiser may overshoot below black, which no light does."""
    layers |= {f"denoised.{group}": np.maximum(rgb(passes, group), np.float32(0)) for group in groups}


def _filter(layers: Layers, transmission: float) -> None:
    """Take from every radiance what a filter before the lens absorbs; the colours of surfaces are no radiances."""
    for name in layers.keys() - set(COLORS):
        layers[name] = layers[name] * np.float32(transmission)


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
