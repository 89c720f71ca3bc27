"""Fake stages: 8 x 8 pixels in milliseconds, with which the graph, the store and the tables are tested.

They stand in for `pipeline.graph.stages` when GLINT_STAGES=pipeline.graph.fake:STAGES. Their outputs are a pure
function of their fields and inputs and follow the data contract, with pictures that show nothing. A CAD file that
begins with "bad" fails as a broken part would; one that begins with "deadly" kills the process that reads it. Does not
cover: real pixels.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from pipeline import masks
from pipeline.bundle import (
    BUNDLE_FILE,
    CAST_LAMP_FILE,
    CAST_LIGHT_FILE,
    PATH_TERMS,
    THROWER_FILE,
    BundleObject,
    BundleView,
    LightSum,
    SceneBundle,
    view_folder,
    write_ids,
)
from pipeline.dataset.store import ROWS_FILE
from pipeline.errors import BatchTooLarge, EnvironmentProblem, InputError, StageFailed
from pipeline.graph.children import on_stop
from pipeline.graph.model_identity import ModelIdentity
from pipeline.graph.paint_stage import PICTURE, picture_row
from pipeline.graph.stage import Machine, Resource, RunReport
from pipeline.layers import DECOMPOSITION_FILE
from pipeline.records import canonical_json, from_dict, sha256_file, sha256_json, write_json
from pipeline.spec.painted import PaintRequest
from pipeline.spec.scene import Shot, shots_of
from pipeline.spec.transfer import TransferSpec

SIZE: Final = 8
_EYE: Final = (1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0)


@dataclass(frozen=True)
class FakeSettings:
    """How the fakes behave, from the JSON in $GLINT_FAKE; a setting of the machine, so never in a key."""

    render_seconds: float = 0.0
    child: bool = False
    """Spend the render's seconds in a child process, as a real render does."""
    blob: float = 0.0
    """Score `blob` of the gate for the first strength of every transferred photo; halved with each further try."""
    largest_batch: int = 256
    """Photos per network call that there is memory for."""
    trace: str | None = None
    """Folder where each run leaves a file "<stage>.<label>.<pid of the process>[.<pid of its child>]"."""

    @classmethod
    def from_environment(cls) -> FakeSettings:
        """Read $GLINT_FAKE."""
        return from_dict(cls, json.loads(os.environ.get("GLINT_FAKE", "{}")))

    def leave_trace(self, stage: str, label: str, child: int | None = None) -> None:
        """Leave the file of one run."""
        if self.trace is not None:
            name = f"{stage}.{label}.{os.getpid()}" + (f".{child}" if child else "")
            Path(self.trace, name).touch()


class FakePart:
    """Checks a CAD file by its first word."""

    name = "part"
    version = 1
    resource: Resource = "cpu"

    def tools(self) -> Mapping[str, str]:
        """A tool that never changes."""
        return {"fake": "1"}

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write `part.json`."""
        FakeSettings.from_environment().leave_trace(self.name, fields["file"])
        text = inputs["cad"].read_bytes()
        if text.startswith(b"deadly"):
            os.kill(os.getpid(), signal.SIGKILL)
        if text.startswith(b"bad"):
            raise InputError(f"{fields['file']}: expected a solid, found none; repair the file and run again")
        write_json(out / "part.json", {"name": fields["file"], "sha256": fields["sha256"]})
        return RunReport({})


class FakeRender:
    """Writes a bundle of black layers in which each instance covers one pixel."""

    name = "render"
    version = 1
    resource: Resource = "render"

    def tools(self) -> Mapping[str, str]:
        """A tool that never changes."""
        return {"fake": "1"}

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write a bundle, and rows for scenes and views."""
        _pretend_to_render(FakeSettings.from_environment(), fields["scene_id"])
        write_json(out / BUNDLE_FILE, _bundle(fields))
        write_json(out / "scene.json", dict(fields))
        views = [_write_view(fields, shot, out) for shot in _shots(fields)]
        scene = {
            "scene_id": fields["scene_id"],
            "scene_key": "",
            "scene_index": fields["index"],
            "seed": fields["seed"],
            "split": "train",
            "spec_json": canonical_json(fields),
            "rig": fields["rigs"][0]["name"],
            "surroundings": fields["surroundings"]["name"],
            **_painted_columns(fields),
            "n_items": len(fields["items"]),
            "n_views": len(views),
            "samples": fields["render"]["samples"],
        }
        _write_rows(out, {"scenes": [scene], "views": views})
        return RunReport({"render_seconds": 0.0, "peak_memory_bytes": 1e6})


def _painted_columns(fields: Mapping[str, Any]) -> dict[str, str]:
    painted = fields.get("painted") or {}
    found = {kind: painted.get(kind) for kind in ("surface", "backdrop")}
    return {f"painted_{kind}": f"{one['name']}-{one['number']}" for kind, one in found.items() if one}


class FakeTruth:
    """Reads the ids of a bundle; nothing is reflected."""

    name = "truth"
    version = 1
    resource: Resource = "cpu"

    def tools(self) -> Mapping[str, str]:
        """A tool that never changes."""
        return {"fake": "1"}

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write rows for instances and reflections."""
        FakeSettings.from_environment().leave_trace(self.name, fields["scene_id"])
        views = json.loads((inputs["render"] / ROWS_FILE).read_text())["views"]
        instances = [_instance(view, item) for view in views for item in fields["items"]]
        layers = [_decomposition(view, out) | _edges(view, out) for view in views]
        rows = {"instances": instances, "reflections": [], "reflection_layers": layers, "cast_light": []}
        _write_rows(out, {**rows, "mirror_images": [], "defects": []})
        return RunReport({})


class FakePhotos:
    """One picture of one colour for each photo."""

    name = "photos"
    version = 1
    resource: Resource = "cpu"

    def tools(self) -> Mapping[str, str]:
        """A tool that never changes."""
        return {"fake": "1"}

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write the pictures, and rows for photos and highlights."""
        FakeSettings.from_environment().leave_trace(self.name, fields["scene_id"])
        photos = [_write_photo(fields, photo, out) for photo in fields["photos"]]
        _write_rows(out, {"photos": photos, "highlights": []})
        return RunReport({})


class FakeTransfer:
    """Each photo darker; what its gate measures is set by $GLINT_FAKE."""

    name = "transfer"
    version = 1
    resource: Resource = "render"

    def tools(self) -> Mapping[str, str]:
        """A tool that never changes."""
        return {"fake": "1"}

    def identify(self, spec: TransferSpec, machine: Machine) -> ModelIdentity:
        """A model that every machine has, except one called "missing"."""
        return _fake_identity(spec.model, machine)

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write a picture per try, and rows for the round trip and for each try."""
        settings = FakeSettings.from_environment()
        settings.leave_trace(self.name, fields["scene_id"])
        _expect_memory(int(fields["identity"]["batch"]), settings.largest_batch)
        paths = {row["photo_id"]: row["image_path"] for row in _rows_of(inputs["photos"], "photos")}
        rows = []
        for photo in fields["photos"]:
            source = inputs["photos"] / paths[photo["photo_id"]]
            rows += list(_fake_tries(settings.blob, photo, fields, source, out))
        _write_rows(out, {"transfers": rows})
        return RunReport({"tries": float(len(rows))})


class FakePaint:
    """A picture of one colour for each prompt and seed."""

    name = "paint"
    version = 1
    resource: Resource = "render"

    def tools(self) -> Mapping[str, str]:
        """A tool that never changes."""
        return {"fake": "1"}

    def identify(self, request: PaintRequest, machine: Machine) -> ModelIdentity:
        """As `FakeTransfer` does."""
        return _fake_identity(request.painting.model, machine)

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write the picture and its row."""
        import cv2

        FakeSettings.from_environment().leave_trace(self.name, fields["picture_id"])
        colour = list(bytes.fromhex(sha256_json([fields["prompt"], fields["seed"]]))[:3])
        cv2.imwrite(str(out / PICTURE), np.full((SIZE, SIZE, 3), colour, dtype=np.uint8))
        _write_rows(out, {"painted": [picture_row(fields, out / PICTURE)]})
        return RunReport({})


STAGES: Final = {
    stage.name: stage for stage in (FakePart(), FakePaint(), FakeRender(), FakeTruth(), FakePhotos(), FakeTransfer())
}

_children: set[int] = set()


@on_stop
def _kill_children() -> None:
    for pid in list(_children):
        os.kill(pid, signal.SIGKILL)


def _pretend_to_render(settings: FakeSettings, label: str) -> None:
    if not settings.child:
        settings.leave_trace("render", label)
        time.sleep(settings.render_seconds)
        return
    with subprocess.Popen(["sleep", str(settings.render_seconds)], start_new_session=True) as child:  # noqa: S607
        _children.add(child.pid)
        settings.leave_trace("render", label, child.pid)
        try:
            code = child.wait()
        finally:
            child.kill()
            _children.discard(child.pid)
    if code != 0:
        raise StageFailed(f"the fake render child died ({code})")


def _bundle(fields: Mapping[str, Any]) -> SceneBundle:
    from pipeline.arrange.arrangement import PlacedCamera, PlacedItem

    items = fields["items"]
    return SceneBundle(
        scene_id=fields["scene_id"],
        blender="none",
        samples=fields["render"]["samples"],
        groups=("lamp",),
        objects=tuple(
            BundleObject(item["instance_id"], "part", item["part_id"], item["category"], None) for item in items
        ),
        materials=(),
        finishes=(),
        items=tuple(PlacedItem(item["instance_id"], item["part_id"], _EYE) for item in items),
        views=tuple(
            BundleView(
                f"{fields['scene_id']}-v{shot.view_index}",
                shot.view_index,
                PlacedCamera(shot.camera_index, _EYE, 8.0, 8.0, 4.0, 4.0, SIZE, SIZE),
                rig=fields["rigs"][shot.rig_index]["name"],
                rig_index=shot.rig_index,
                groups=("lamp",),
            )
            for shot in _shots(fields)
        ),
        light_sums=tuple(LightSum(f"{fields['scene_id']}-v{shot.view_index}", 0.0, 0.0) for shot in _shots(fields)),
    )


def _shots(fields: Mapping[str, Any]) -> tuple[Shot, ...]:
    return shots_of(len(fields["cameras"]), len(fields["rigs"]), fields["twins"])


def _write_view(fields: Mapping[str, Any], shot: Shot, out: Path) -> dict[str, Any]:
    view_index = shot.view_index
    folder = view_folder(out, view_index)
    folder.mkdir(parents=True)
    for name, content in _black_layers().items():
        (folder / name).write_bytes(content)
    ids = np.zeros((SIZE, SIZE), dtype=np.uint16)
    for item in fields["items"]:
        ids[_pixel_of(item["instance_id"])] = item["instance_id"]
    for name in ("instance", "object", "face", "material"):
        write_ids(folder / f"{name}.png", ids)
    files = ["terms.exr", "direct.exr", "depth.exr", "normal.exr", "position.exr"]
    files += ["reflection.exr", "rough_reflection.exr"]
    for name in (THROWER_FILE, CAST_LAMP_FILE):
        write_ids(folder / name, np.zeros_like(ids))
    files += ["instance.png", "object.png", "face.png", "material.png"]
    files += [CAST_LIGHT_FILE, THROWER_FILE, CAST_LAMP_FILE]
    return {
        "view_id": f"{fields['scene_id']}-v{view_index}",
        "scene_id": fields["scene_id"],
        "view_index": view_index,
        "light_groups": ["lamp"],
        "width": SIZE,
        "height": SIZE,
        "fx": 8.0,
        "fy": 8.0,
        "cx": 4.0,
        "cy": 4.0,
        "cam_from_world": list(_EYE),
        "bundle_path": BUNDLE_FILE,
        "layers_path": f"views/v{view_index}/light.exr",
        **{f"{Path(name).stem}_path": f"views/v{view_index}/{name}" for name in files},
    }


@cache
def _black_layers() -> dict[str, bytes]:
    """The float layers of a view, made once per process: file name -> content."""
    from pipeline.bundle import REFLECTION_CHANNELS, ROUGH_CHANNELS, write_exr
    from pipeline.layers import COLORS, write_cast_light, write_groups, write_layers

    black = np.zeros((SIZE, SIZE), dtype=np.float32)
    names = ("noisy", "group.lamp", "denoised.lamp", *PATH_TERMS, *COLORS)
    channels = {
        "depth.exr": ["Z"],
        "normal.exr": ["X", "Y", "Z"],
        "position.exr": ["X", "Y", "Z"],
        "reflection.exr": list(REFLECTION_CHANNELS),
        "rough_reflection.exr": list(ROUGH_CHANNELS),
    }
    with TemporaryDirectory() as folder:
        write_layers(Path(folder), dict.fromkeys(names, np.stack([black] * 3, axis=-1)), ("lamp",))
        write_groups(Path(folder, "direct.exr"), {"group.lamp": np.stack([black] * 3, axis=-1)})
        write_cast_light(Path(folder, CAST_LIGHT_FILE), {"lamp": np.stack([black] * 3, axis=-1)}, black)
        for file, file_channels in channels.items():
            write_exr(Path(folder, file), dict.fromkeys(file_channels, black))
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def _pixel_of(instance_id: int) -> tuple[int, int]:
    return divmod((instance_id - 1) % (SIZE * SIZE), SIZE)


def _instance(view: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    row, column = _pixel_of(item["instance_id"])
    mask[row, column] = True
    box = [float(column), float(row), 1.0, 1.0]
    return {
        "view_id": view["view_id"],
        "scene_id": view["scene_id"],
        **{name: item[name] for name in ("instance_id", "part_id", "category", "metal", "finish")},
        "model_to_camera": list(_EYE),
        "bbox_visible": box,
        "bbox_full": box,
        "px_visible": 1,
        "px_full": 1,
        "visible_fraction": 1.0,
        "mask_rle": masks.encode(mask),
        "mask_full_rle": masks.encode(mask),
        "truncated": False,
    }


def _decomposition(view: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """The row of a view's reflection layers; all of its light is black."""
    path = f"views/v{view['view_index']}/{DECOMPOSITION_FILE}"
    (out / path).parent.mkdir(parents=True)
    (out / path).write_bytes(_black_decomposition())
    return {"view_id": view["view_id"], "scene_id": view["scene_id"], "decomposition_path": path}


def _edges(view: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Columns of a view's edges: it has none."""
    from pipeline.bundle import write_exr
    from pipeline.dataset.read_edges import EDGE_CAUSES

    folder = view_folder(out, view["view_index"])
    folder.mkdir(parents=True, exist_ok=True)
    write_ids(folder / "edges.png", np.zeros((SIZE, SIZE), dtype=np.uint16))
    nothing = np.zeros((SIZE, SIZE), dtype=np.float16)
    write_exr(folder / "false_edge.exr", dict.fromkeys(("false", "contrast", *EDGE_CAUSES), nothing))
    files = {"edges_path": "edges.png", "false_edge_path": "false_edge.exr"}
    return {column: f"views/v{view['view_index']}/{file}" for column, file in files.items()}


@cache
def _black_decomposition() -> bytes:
    from pipeline.layers import CODEC, write_parts

    with TemporaryDirectory() as folder:
        path = Path(folder, DECOMPOSITION_FILE)
        write_parts(path, {"highlight.lamp": np.zeros((SIZE, SIZE, 3), np.float16)}, CODEC)
        return path.read_bytes()


def _write_photo(fields: Mapping[str, Any], photo: Mapping[str, Any], out: Path) -> dict[str, Any]:
    import cv2

    view_id = f"{fields['scene_id']}-v{photo['view_index']}"
    photo_id = f"{view_id}-p{photo['photo_index']}"
    path = out / f"{photo_id}.png"
    colour = bytes.fromhex(sha256_json(photo))[:3]
    cv2.imwrite(str(path), np.full((SIZE, SIZE, 3), list(colour), dtype=np.uint8))
    return {
        "photo_id": photo_id,
        "view_id": view_id,
        "scene_id": fields["scene_id"],
        "photo_index": photo["photo_index"],
        "split": fields["split"],
        "image_path": path.name,
        "sha256": sha256_file(path),
        "width": SIZE,
        "height": SIZE,
        "origin": "camera",
        **{name: photo[name] for name in ("seed", "exposure_ev", "f_number", "sensor", "lens", "tone")},
        "light_weights": photo["light_weights"],
        "clipped_fraction": 0.0,
    }


def _fake_identity(model: str, machine: Machine) -> ModelIdentity:
    from pipeline.transfer.store import ModelMissing

    if model == "missing":
        raise ModelMissing('expected a model "missing", found none; add it with `glint models add`')
    resource: Resource = "gpu" if machine.device.startswith("cuda") else "render"
    return ModelIdentity(
        weights={"checkpoint": "0" * 64},
        device=machine.device,
        dtype="float32",
        libraries={"fake": "1"},
        batch=machine.batch or 1,
        resource=resource,
        licence="CC0-1.0",
        source="nowhere",
        gpus=1,
    )


def _expect_memory(batch: int, largest: int) -> None:
    if batch <= largest:
        return
    message = f"expected memory for {batch} photos a call, found too little"
    raise EnvironmentProblem(message) if batch == 1 else BatchTooLarge(message, batch // 2)


def _fake_tries(
    blob: float, photo: Mapping[str, Any], fields: Mapping[str, Any], source: Path, out: Path
) -> Iterator[dict[str, Any]]:
    """Rows of one photo: its round trip, then a try per strength until one passes for certain."""
    import cv2

    from pipeline.transfer.gate.limits import BOUNDS

    common = {"scene_id": fields["scene_id"], "batch": fields["identity"]["batch"], **photo}
    yield {**common, "try_index": 0, "strength": 0.0, "scores": {"blob": 0.0}, "exceeded": [], "problem": None}
    for index, strength in enumerate(fields["settings"]["strengths"], 1):
        score = blob * 0.5 ** (index - 1)
        row = {**common, "try_index": index, "strength": strength, "scores": {"blob": score}, "problem": None}
        passes = score <= BOUNDS["blob"].lowest
        row["exceeded"] = [] if passes else [{"score": "blob", "value": score, "of": "background"}]
        if score <= BOUNDS["blob"].highest:
            path = out / f"{photo['photo_id']}-t{index}.png"
            cv2.imwrite(str(path), np.asarray(cv2.imread(str(source)), dtype=np.uint8) // 2)
            row |= {"picture_path": path.name, "sha256": sha256_file(path)}
        yield row
        if passes:
            return


def _rows_of(folder: Path, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / ROWS_FILE).read_text())[table]
    return rows


def _write_rows(out: Path, rows: Mapping[str, list[dict[str, Any]]]) -> None:
    write_json(out / ROWS_FILE, dict(rows))
