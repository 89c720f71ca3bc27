"""Datasets whose photos are real and whose renders are not: bundles are drawn as arrays, photos developed from them.

GLINT_STAGES=support.developed_builds:STAGES. The environment variable GLINT_DAMAGE = "<scene index>:<damage>" spoils
the bundle of one scene. Covers: `build` to `inspect` without Blender. Does not cover: what a render looks like.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.graph.fake import FakePart, FakeRender, FakeTruth
from pipeline.graph.stage import Machine, RunReport
from pipeline.graph.stages import PhotosStage
from pipeline.records import to_dict, write_json
from pipeline.spec.draw_photos import light_groups
from pipeline.spec.fields import scene_of_render_fields
from support.synthetic_bundle import MadeView, camera

WIDTH, HEIGHT = 96, 72
DAMAGE_VARIABLE = "GLINT_DAMAGE"


def made_groups(names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """One radiance image per group: a slope, with a mirrored lamp in the first."""
    groups = {}
    for number, name in enumerate(names):
        ramp = np.linspace(0.05, 0.6, WIDTH, dtype=np.float32) if number % 2 else np.linspace(0.6, 0.05, WIDTH)
        groups[name] = np.repeat(np.broadcast_to(np.float32(ramp), (HEIGHT, WIDTH))[..., None], 3, axis=-1).copy()
    groups[names[0]][30:36, 40:46] = 40.0
    return groups


def _spoil(value: float) -> Callable[[MadeView, str], MadeView]:
    def spoil(view: MadeView, group: str) -> MadeView:
        groups = {name: image.copy() for name, image in view.groups.items()}
        groups[group][7, 11, 1] = value
        return MadeView(groups, glossy_direct=view.groups[group])

    return spoil


DAMAGES: dict[str, Callable[[MadeView, str], MadeView]] = {
    "nan": _spoil(np.nan),
    "infinite": _spoil(np.inf),
    "negative": _spoil(-0.25),
    "size": lambda view, group: MadeView(view.groups, camera=camera(2 * WIDTH, HEIGHT)),
    "missing": lambda view, group: MadeView({n: i for n, i in view.groups.items() if n != group}),
}


class MadeRender(FakeRender):
    """Writes a bundle of one view with the light groups that the scene would have."""

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """The fake's rows and ids beside made radiance."""
        report = super().run(fields, inputs, out, machine)
        names = light_groups(fields["rigs"][0]["name"], fields["surroundings"]["name"]).all
        view = MadeView(made_groups(names))
        number, _, damage = os.environ.get(DAMAGE_VARIABLE, "-1:").partition(":")
        folder = out / "made"
        made = DAMAGES[damage](view, names[1]) if fields["index"] == int(number) else view
        made.write(folder)
        for name in ("light.exr", "terms.exr", "reflection.exr", "instance.png", "face.png"):
            (folder / "views" / "v0" / name).replace(out / "views" / "v0" / name)
        text = (folder / "bundle.json").read_text().replace("made-000000", str(fields["scene_id"]))
        (out / "bundle.json").write_text(text)
        shutil.rmtree(folder)
        write_json(out / "scene.json", to_dict(scene_of_render_fields(dict(fields))))
        if damage == "missing" and fields["index"] == int(number):
            self._declare(out, names)
        return report

    @staticmethod
    def _declare(out: Path, names: tuple[str, ...]) -> None:
        """Let bundle.json name all groups, whatever light.exr holds."""
        record = json.loads((out / "bundle.json").read_text())
        record["groups"] = record["views"][0]["groups"] = list(names)
        write_json(out / "bundle.json", record)


STAGES = {stage.name: stage for stage in (FakePart(), MadeRender(), FakeTruth(), PhotosStage())}
