"""A dataset of spheres made by hand: the layers are those of a real sphere, the names may be hostile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline import masks
from pipeline.bundle import REFLECTION_CHANNELS, write_exr, write_ids
from pipeline.dataset.build import Build, BuildInfo, SceneOutputs, write_build
from pipeline.dataset.store import ActionRecord, Store
from pipeline.layers import write_cast_light, write_parts
from pipeline.records import sha256_file, sha256_json, write_json

WIDTH, HEIGHT = 96, 72
HOSTILE = '<script>alert("part")</script>'
IDENTITY = [float(i % 5 == 0) for i in range(16)]


@dataclass(frozen=True)
class Sphere:
    """A sphere in the picture's middle, in pixels."""

    inside: np.ndarray
    normal: np.ndarray


def sphere() -> Sphere:
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    u, v = (x - WIDTH / 2) / 28, (y - HEIGHT / 2) / 28
    inside = u * u + v * v < 1
    z = -np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
    normal = np.where(inside[..., None], np.stack([u, v, z], axis=-1), 0)
    return Sphere(inside, normal.astype(np.float32))


def cast_light() -> np.ndarray:
    """Where the ball throws light onto the ground: beside it, to the right."""
    x = np.arange(WIDTH)[None, :]
    return ~sphere().inside & (x > 80) & (np.abs(np.arange(HEIGHT)[:, None] - 40) < 5)


def _write_view(folder: Path) -> None:
    folder.mkdir(parents=True)
    ball = sphere()
    key = np.clip(ball.normal @ np.array([-0.5, -0.6, -0.6], np.float32), 0, 1)
    groups = {"key": np.stack([key] * 3, -1), "room": np.full((HEIGHT, WIDTH, 3), 0.05, np.float32)}
    write_parts(folder / "light.exr", {f"group.{n}": image.astype(np.float32) for n, image in groups.items()}, "zip:1")
    depth = np.where(ball.inside, 0.5 + 0.1 * ball.normal[..., 2], 0).astype(np.float32)
    write_exr(folder / "depth.exr", {"Z": depth})
    write_exr(folder / "normal.exr", {axis: np.ascontiguousarray(ball.normal[..., i]) for i, axis in enumerate("XYZ")})
    write_exr(folder / "reflection.exr", dict.fromkeys(REFLECTION_CHANNELS, depth * 0))
    for name in ("instance", "face"):
        write_ids(folder / f"{name}.png", ball.inside.astype(np.uint16))
    streak = cast_light().astype(np.float32)
    write_cast_light(folder / "cast_light.exr", {"key": np.stack([streak] * 3, -1)}, streak * 0)


def _render(index: int, folder: Path) -> dict[str, list[dict[str, Any]]]:
    scene_id = f"balls-{index:06d}"
    views = []
    for k in range(2):
        view = folder / "views" / f"v{k}"
        _write_view(view)
        row = {"view_id": f"{scene_id}-v{k}", "scene_id": scene_id, "view_index": k, "width": WIDTH, "height": HEIGHT}
        row |= {"fx": 90.0, "fy": 90.0, "cx": WIDTH / 2, "cy": HEIGHT / 2, "cam_from_world": IDENTITY}
        row["layers_path"] = f"views/v{k}/light.exr"
        for name in ("depth", "normal", "reflection"):
            row[f"{name}_path"] = f"views/v{k}/{name}.exr"
        for name in ("instance", "face"):
            row[f"{name}_path"] = f"views/v{k}/{name}.png"
        if index == 0 and k == 0:
            row["cast_light_path"] = f"views/v{k}/cast_light.exr"
        views.append(row)
    item = {"instance_id": 1, "part_id": HOSTILE, "metal": "iron", "finish": "turned"}
    spec = {"scene_id": scene_id, "arrangement": {"kind": "table", "surface": "wood"}, "items": [item]}
    row = {"scene_id": scene_id, "scene_key": "", "scene_index": index, "seed": 7 + index, "split": "train"}
    row |= {"spec_json": spec, "arrangement": "table", "rig": ["ring", "bar & dome"][index % 2], "n_items": 1}
    row |= {"surroundings": "hall", "samples": 16, "blender": "5.2.3"}
    return {"scenes": [row], "views": views}


def _truth(index: int) -> dict[str, list[dict[str, Any]]]:
    inside = sphere().inside
    upper = inside & (np.arange(HEIGHT)[:, None] < HEIGHT // 2)
    instances, reflections = [], []
    for k in range(2):
        view_id = f"balls-{index:06d}-v{k}"
        area = int(inside.sum())
        row = {"view_id": view_id, "instance_id": 1, "part_id": HOSTILE, "category": HOSTILE, "metal": "iron"}
        row |= {"finish": "turned", "finishes": {"0": "turned"}, "model_to_camera": IDENTITY, "truncated": False}
        row |= {"px_visible": area, "px_full": area, "visible_fraction": 1.0, "distance_m": 0.5}
        row |= {"bbox_visible": masks.bbox(masks.encode(inside)), "mask_rle": masks.encode(inside)}
        instances.append(row | {"mask_full_rle": masks.encode(inside)})
        for kind, name, mask in (("light", "key_panel", upper), ("surroundings", "floor", inside & ~upper)):
            row = {"view_id": view_id, "instance_id": 1, "reflected_kind": kind, "reflected_id": name}
            row |= {"area_px": int(mask.sum()), "share": float(mask.sum() / inside.sum())}
            reflections.append(row | {"mask_rle": masks.encode(mask)})
    rows = {"instances": instances, "reflections": reflections, "defects": _defects(index)}
    return rows | {"cast_light": _cast_light(index)}


def _cast_light(index: int) -> list[dict[str, Any]]:
    """The first view of scene 0 alone has cast light."""
    if index != 0:
        return []
    mask = cast_light()
    row = {"view_id": "balls-000000-v0", "cast_light_id": 0, "instance_id": 1, "light_id": "key_panel"}
    row |= {"light_kind": "panel", "light_group": "key", "receiver_kind": "surroundings", "receiver_id": "floor"}
    row |= {"mask_rle": masks.encode(mask), "bbox": masks.bbox(masks.encode(mask)), "area_px": int(mask.sum())}
    return [row]


def _defects(index: int) -> list[dict[str, Any]]:
    """Scene 0 alone has defects: a scratch across the ball in its first view, and one that is not seen."""
    if index != 0:
        return []
    scratch = sphere().inside & (np.abs(np.arange(HEIGHT)[:, None] - 36) < 2)
    row = {"view_id": "balls-000000-v0", "scene_id": "balls-000000", "instance_id": 1, "severity": 0.5}
    row |= {"size_mm": [5.0, 0.2], "depth_um": 3.0, "face_ids": [0], "position": [0.0, 0.0, 0.5]}
    shown = {"defect_id": 1, "kind": "scratch", "visible": True, "area_px": int(scratch.sum())}
    hidden = {"defect_id": 2, "kind": "dent", "visible": False, "area_px": 0}
    return [
        row | shown | {"mask_rle": masks.encode(scratch)},
        row | hidden | {"mask_rle": masks.encode(np.zeros_like(scratch))},
    ]


def _photos(index: int, folder: Path) -> dict[str, list[dict[str, Any]]]:
    photos, highlights = [], []
    ball = sphere()
    spot = ball.inside & (ball.normal @ np.array([-0.4, -0.4, -0.83]) > 0.97)
    for k in range(2):
        for p in range(2):
            photo_id = f"balls-{index:06d}-v{k}-p{p}"
            shown = np.clip(ball.normal @ np.array([-0.5, -0.6, -0.6]), 0.1, 1) * (160 + 60 * p)
            cv2.imwrite(str(folder / f"{photo_id}.png"), np.repeat(shown.astype(np.uint8)[..., None], 3, axis=2))
            row = {"photo_id": photo_id, "view_id": photo_id[:-3], "scene_id": f"balls-{index:06d}", "photo_index": p}
            row |= {"split": "train", "image_path": f"{photo_id}.png", "width": WIDTH, "height": HEIGHT}
            row |= {"sha256": sha256_file(folder / f"{photo_id}.png"), "origin": "camera", "exposure_ev": p - 0.5}
            photos.append(row | {"clipped_fraction": 0.01 * p, "sensor": "apsc", "light_weights": {"key": 1.0}})
            mark = {"photo_id": photo_id, "highlight_id": 1, "instance_id": 1, "light_id": "key_panel"}
            mark |= {"light_kind": "panel", "mask_rle": masks.encode(spot), "bbox": masks.bbox(masks.encode(spot))}
            highlights.append(mark | {"area_px": int(spot.sum())})
    return {"photos": photos, "highlights": highlights}


def make_scene(root: Path, index: int) -> SceneOutputs:
    store = Store(root)
    keys = {stage: sha256_json([stage, index]) for stage in ("render", "truth", "photos")}
    for stage, key in keys.items():
        action = ActionRecord(stage, 1, key, f"balls-{index:06d}", {"index": index})
        with store.stage_output(action) as staged:
            staged.numbers = {"sampling_seconds": 1.25, "denoise_seconds": 0.5} if stage == "render" else {}
            if stage == "render":
                rows = _render(index, staged.folder)
            else:
                rows = _truth(index) if stage == "truth" else _photos(index, staged.folder)
            write_json(staged.folder / "rows.json", rows)
    return SceneOutputs(f"balls-{index:06d}", keys)


@pytest.fixture(scope="session")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A build of three scenes, six views, twelve photos; one scene in quarantine. Its root is folder.parents[1]."""
    root = tmp_path_factory.mktemp("balls") / "dataset"
    (root / "quarantine").mkdir(parents=True)
    failure = {
        "message": "expected a <b>solid</b>, found none",
        "command": "glint scene balls.toml balls-000009 --out x",
    }
    write_json(root / "quarantine" / "balls-000009.json", failure)
    info = BuildInfo("balls & <i>bearings</i>", "balls.toml", 'name = "<img src=x>"\n', "plan", ("balls-000009",))
    return write_build(root, [make_scene(root, index) for index in range(3)], info)
