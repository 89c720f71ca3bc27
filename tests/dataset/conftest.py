"""A small dataset made by hand: real files in the real form, pixels drawn from a seeded generator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipeline import masks
from pipeline.bundle import (
    BUNDLE_FILE,
    PATH_TERMS,
    REFLECTION_CHANNELS,
    ROUGH_CHANNELS,
    LightSum,
    SceneBundle,
    write_exr,
    write_ids,
    write_rgb,
)
from pipeline.dataset.build import BuildInfo, SceneOutputs, write_build
from pipeline.dataset.read_edges import EDGE_CAUSES
from pipeline.dataset.store import ActionRecord, Store
from pipeline.layers import CODEC, COLORS, NOISY_BITS, rounded, write_cast_light, write_layers, write_parts
from pipeline.records import sha256_file, sha256_json, write_json

WIDTH, HEIGHT = 32, 24
IDENTITY = [float(i % 5 == 0) for i in range(16)]
VIEW_FILES = {
    "layers_path": "light.exr",
    "terms_path": "terms.exr",
    "depth_path": "depth.exr",
    "normal_path": "normal.exr",
    "position_path": "position.exr",
    "instance_path": "instance.png",
    "object_path": "object.png",
    "face_path": "face.png",
    "material_path": "material.png",
    "reflection_path": "reflection.exr",
    "rough_reflection_path": "rough_reflection.exr",
    "cast_light_path": "cast_light.exr",
    "thrower_path": "thrower.png",
    "cast_lamp_path": "cast_lamp.png",
}

DECOMPOSITION = "views/v0/decomposition.exr"

MakeScene = Callable[..., SceneOutputs]


def scene_name(index: int) -> str:
    return f"tiny-{index:06d}"


def key_of(stage: str, index: int, salt: str = "") -> str:
    return sha256_json([stage, index, salt])


def instance_layer() -> np.ndarray:
    """Part 1 is a rectangle that part 2 covers a corner of."""
    ids = np.zeros((HEIGHT, WIDTH), dtype=np.uint16)
    ids[4:16, 4:20] = 1
    ids[12:20, 14:28] = 2
    return ids


def cast_light_mask() -> np.ndarray:
    """Part 2 throws light onto the ground below it."""
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[20:23, 16:24] = True
    return mask


def group_layers(index: int) -> list[np.ndarray]:
    rng = np.random.default_rng(index)
    return [rng.random((HEIGHT, WIDTH, 3), dtype=np.float32) for _ in range(2)]


def write_decomposition(path: Path, index: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    on_part = (instance_layer() > 0)[..., None]
    for_group = zip(("rig", "world"), group_layers(index), strict=True)
    parts = {}
    for name, radiance in for_group:
        parts |= {f"highlight.{name}": radiance * 0.75 * on_part, f"diffuse.{name}": radiance * 0.25 * on_part}
    write_parts(path, {name: rounded(values, NOISY_BITS) for name, values in parts.items()}, CODEC)


def write_view(folder: Path, index: int) -> None:
    folder.mkdir(parents=True)
    groups = group_layers(index)
    total = groups[0] + groups[1]
    terms = {name: np.zeros_like(total) for name in PATH_TERMS}
    terms["diffuse_direct"], terms["glossy_direct"] = total * 0.25, total * 0.75
    layers = {"noisy": total, "group.rig": groups[0], "group.world": groups[1], **terms}
    write_layers(folder, layers | dict.fromkeys(COLORS, total * 0.5), ("rig", "world"))
    plane = np.ones((HEIGHT, WIDTH), dtype=np.float32)
    write_exr(folder / "depth.exr", {"Z": plane})
    write_exr(folder / "normal.exr", {"X": plane * 0, "Y": plane * 0, "Z": -plane})
    write_exr(folder / "position.exr", {"X": plane, "Y": plane, "Z": plane})
    write_exr(folder / "reflection.exr", dict.fromkeys(REFLECTION_CHANNELS, plane * 0))
    write_exr(folder / "rough_reflection.exr", dict.fromkeys(ROUGH_CHANNELS, plane * 0.5))
    for name in ("instance", "object", "face", "material"):
        write_ids(folder / f"{name}.png", instance_layer())
    cast = cast_light_mask() * np.float32(0.5)
    groups_of_cast = {"rig": np.repeat(cast[..., None], 3, axis=-1), "world": np.zeros_like(total)}
    write_cast_light(folder / "cast_light.exr", groups_of_cast, cast * 0.1)
    write_ids(folder / "thrower.png", cast_light_mask() * np.uint16(2))
    write_ids(folder / "cast_lamp.png", cast_light_mask() * np.uint16(3001))


def render_rows(index: int) -> dict[str, list[dict[str, Any]]]:
    scene = scene_name(index)
    view = {"view_id": f"{scene}-v0", "scene_id": scene, "view_index": 0, "width": WIDTH, "height": HEIGHT}
    view |= {"fx": 40.0, "fy": 40.0, "cx": WIDTH / 2, "cy": HEIGHT / 2, "cam_from_world": IDENTITY}
    view["light_groups"] = ["rig", "world"]
    view |= {column: f"views/v0/{name}" for column, name in VIEW_FILES.items()} | {"bundle_path": BUNDLE_FILE}
    row = {"scene_id": scene, "scene_index": index, "seed": 1000 + index, "split": split_of(index)}
    row |= {"spec_json": {"scene_id": scene}, "rig": "ring", "surroundings": "hall", "samples": 8}
    return {"scenes": [row], "views": [view]}


def split_of(index: int) -> str:
    return "val" if index % 4 == 3 else "train"


def truth_rows(index: int) -> dict[str, list[dict[str, Any]]]:
    view_id = f"{scene_name(index)}-v0"
    ids = instance_layer()
    full = {1: np.zeros_like(ids, dtype=bool), 2: ids == 2}
    full[1][4:16, 4:20] = True
    rows = []
    for instance_id in (1, 2):
        visible = ids == instance_id
        seen, whole = int(visible.sum()), int(full[instance_id].sum())
        row = {"view_id": view_id, "instance_id": instance_id, "part_id": "block", "category": "block"}
        row |= {"metal": "iron", "finishes": {"0": "ground", "10": "cast", "2": "turned"}, "model_to_camera": IDENTITY}
        row |= {"px_visible": seen, "px_full": whole, "visible_fraction": seen / whole, "truncated": False}
        row |= {"mask_rle": masks.encode(visible), "mask_full_rle": masks.encode(full[instance_id])}
        row |= {"bbox_visible": masks.bbox(masks.encode(visible)), "box3d_corners": np.zeros((8, 3))}
        rows.append({**row, "box3d_corners": [[0.0] * 3] * 8, "symmetries": {"discrete": [], "continuous": []}})
    seen = int((ids == 1).sum())
    mask = np.zeros_like(ids, dtype=bool)
    mask[4:6, 4:8] = True
    reflection = {"view_id": view_id, "instance_id": 1, "reflected_kind": "light", "reflected_id": "ring"}
    reflection |= {"area_px": 8, "share": 8 / seen, "mean_distance_m": 0.4, "mask_rle": masks.encode(mask)}
    defect = {"view_id": view_id, "scene_id": scene_name(index), "instance_id": 1, "defect_id": 1, "kind": "scratch"}
    defect |= {"severity": 0.5, "size_mm": [8.0, 0.1], "depth_um": 12.0, "face_ids": [0], "position": [0.0, 0.0, 0.4]}
    defect |= {"centre_px": [6.0, 5.0], "visible": True, "bbox": [4, 4, 4, 2], "area_px": 8, "covered_px": 5.5}
    defect |= {"mask_rle": masks.encode(mask)}
    cast = {"view_id": view_id, "cast_light_id": 0, "instance_id": 2, "light_id": "ring", "light_kind": "ring"}
    cast |= {"light_group": "rig", "receiver_kind": "surroundings", "receiver_id": "table", "area_px": 24}
    cast |= {"mask_rle": masks.encode(cast_light_mask()), "bbox": [16, 20, 8, 3], "share": 1.0}
    image = {"view_id": view_id, "scene_id": scene_name(index), "mirror_image_id": 0, "instance_id": 2}
    image |= {"category": "block", "mirror_kind": "part", "mirror_id": "1", "mask_rle": masks.encode(mask)}
    image |= {"bbox": [4, 4, 4, 2], "area_px": 8, "clarity": 0.7, "mean_distance_m": 0.02, "face_ids": [3]}
    layers = {"view_id": view_id, "scene_id": scene_name(index)}
    return {
        "instances": rows,
        "reflections": [reflection],
        "mirror_images": [image],
        "reflection_layers": [layers],
        "cast_light": [cast],
        "defects": [defect],
    }


def edges_row(index: int, folder: Path) -> dict[str, Any]:
    """One line of edges, the upper half geometry, the lower a reflection; a projector that sees nothing of row 0."""
    view = folder / "views" / "v0"
    view.mkdir(parents=True)
    labels = np.zeros((HEIGHT, WIDTH), np.uint16)
    labels[:, 10] = np.where(np.arange(HEIGHT) < HEIGHT // 2, 1, 3)
    shares = {cause: np.float16(labels == place) for place, cause in enumerate(EDGE_CAUSES, start=1)}
    channels = {"false": 2 * shares["reflection"], "contrast": np.float16(2.0) * (labels > 0)} | shares
    write_ids(view / "edges.png", labels)
    write_exr(view / "false_edge.exr", {name: values.astype(np.float16) for name, values in channels.items()})
    shadow = np.float16(np.arange(HEIGHT)[:, None] == 0) * np.ones((1, WIDTH), np.float16)
    priors = {f"left.{name}": 0 * shadow for name in ("saturation", "dark", "grazing", "second_path")}
    write_exr(view / "depth_failure.exr", {"left.failure": shadow, "left.shadow": shadow, **priors})
    files = {"edges_path": "edges.png", "false_edge_path": "false_edge.exr", "depth_failure_path": "depth_failure.exr"}
    row = {"view_id": f"{scene_name(index)}-v0", "scene_id": scene_name(index)}
    return row | {column: f"views/v0/{file}" for column, file in files.items()}


def photo_rows(index: int, folder: Path) -> dict[str, list[dict[str, Any]]]:
    scene = scene_name(index)
    rng = np.random.default_rng(900 + index)
    photos, highlights = [], []
    for k in range(2):
        photo_id = f"{scene}-v0-p{k}"
        cv2.imwrite(str(folder / f"p{k}.png"), rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8))
        row = {"photo_id": photo_id, "view_id": f"{scene}-v0", "scene_id": scene, "photo_index": k}
        row |= {"split": split_of(index), "image_path": f"p{k}.png", "sha256": sha256_file(folder / f"p{k}.png")}
        row |= {"width": WIDTH, "height": HEIGHT, "origin": "camera", "exposure_ev": float(k), "clipped_fraction": 0.1}
        row |= {
            "light_weights": {"rig": 1.0, "world": 0.5},
            "quality_flags": [],
            "saturation_radiance": [1.0, 0.9, 1.1],
        }
        photos.append(row)
        mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
        mask[5:7, 5:9] = True
        highlight = {"photo_id": photo_id, "highlight_id": 1, "instance_id": 1, "light_id": "ring", "area_px": 8}
        highlight |= {"light_kind": "ring", "mask_rle": masks.encode(mask), "bbox": [5, 5, 4, 2]}
        highlights.append(highlight | {"clipped_px": [8, 2, 0], "face_ids": [0], "centroid": [7.0, 6.0]})
    photos[1] |= stops_columns(folder)
    photos[1] |= {"clip_id": f"{scene}-c0-p1", "frame_index": 0, "time_s": 0.0}
    over = [overexposed_row(photos[1], folder)]
    photos[0] |= {"gate_passed": False, "gate_scores": {"blob": 9.0}, "gate_reason": "strength 0.2: background"}
    rows = {"photos": photos, "highlights": highlights, "glass": [glass_row(photos[0], folder)], "overexposed": over}
    return rows | {"transfers": [failed_try(photos[0])], "painted": [painted_row(index, photos[0])]}


def painted_row(index: int, photo: dict[str, Any]) -> dict[str, Any]:
    """A painted picture; the first photo stands in for it."""
    row = {"picture_id": f"bench-{index}", "kind": "surface", "prompt": "bench", "seed": index, "model": "some"}
    return row | {"picture_path": photo["image_path"], "sha256": photo["sha256"], "model_sha256": "0" * 64}


def failed_try(photo: dict[str, Any]) -> dict[str, Any]:
    """The first photo was tried, and its labels did not hold."""
    row = {name: photo[name] for name in ("photo_id", "scene_id")} | {"try_index": 1, "strength": 0.2, "kept": False}
    return row | {"scores": {"blob": 9.0}, "exceeded": [{"score": "blob", "value": 9.0, "of": "background"}]}


def stops_columns(folder: Path) -> dict[str, Any]:
    """The second photo's first two rows are 3 stops above saturation in green."""
    stops = np.zeros((HEIGHT, WIDTH, 3), np.float16)
    stops[:2, :, 1] = 3.0
    write_rgb(folder / "p1-stops.exr", stops)
    return {
        "stops_above_path": "p1-stops.exr",
        "clipped_px": [0, 2 * WIDTH, 0],
        "stops_above_max": [0.0, 3.0, 0.0],
        "clipped_fraction": 2 / HEIGHT,
    }


def glass_row(photo: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The first photo of each scene is one through glass."""
    shape = (HEIGHT, WIDTH, 3)
    layers = {"t": np.full(shape, 0.4, np.float32), "r": np.full(shape, 0.1, np.float32)}
    layers |= {"m": layers["t"] + layers["r"], "c": np.ones(shape, np.float32)}
    for name, image in layers.items():
        write_exr(folder / f"p0-{name}.exr", {axis: image[..., i] for i, axis in enumerate("RGB")})
    pose = [float(v) for v in np.eye(4).ravel()]
    return {
        **{name: photo[name] for name in ("photo_id", "view_id", "scene_id")},
        **{f"{name}_path": f"p0-{name}.exr" for name in layers},
        "kind": "display_pane",
        "thickness_mm": 4.0,
        "refractive_index": 1.5,
        "camera_from_pane": pose,
        "context_from_world": pose,
        "reflected_share": 0.2,
        "mix_scores": {"clipped": 0.0},
        "well_mixed": True,
    }


def overexposed_row(photo: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The second photo is a clip of one frame: its first four pixels of row 5 exceed the range in red."""
    radiance = np.full((HEIGHT, WIDTH, 3), 0.25, np.float16)
    radiance[5, :4, 0] = 1.5
    write_exr(folder / "p1.exr", {axis: radiance[..., i] for i, axis in enumerate("RGB")})
    over = radiance > 1.0
    row = {name: photo[name] for name in ("photo_id", "clip_id", "frame_index", "view_id", "scene_id")}
    row |= {f"mask_{n}_rle": masks.encode(over[..., i]) for i, n in enumerate(("red", "green", "blue"))}
    row |= {"mask_rle": masks.encode(over[..., 0]), "share": float(over[..., 0].mean()), "radiance_path": "p1.exr"}
    row |= {"signal_from_radiance": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]}
    return row | {"reference_photo_ids": [], "reference_shares": []}


def make_scene(root: Path, index: int, salt: str = "") -> SceneOutputs:
    """Put the outputs of one scene into the store (those that are missing)."""
    store = Store(root)
    keys = {stage: key_of(stage, index, salt) for stage in ("render", "truth", "photos")}
    part = key_of("part", 0)
    made_from = {
        "part": (),
        "render": ({"role": "part", "stage": "part", "key": part},),
        "truth": ({"role": "render", "stage": "render", "key": keys["render"]},),
        "photos": ({"role": "render", "stage": "render", "key": keys["render"]},),
    }
    for stage, key in {"part": part, **keys}.items():
        if store.has(stage, key):
            continue
        action = ActionRecord(stage, 1, key, scene_name(index), {"index": index, "salt": salt}, made_from[stage])
        with store.stage_output(action) as staged:
            staged.numbers = {"render_seconds": 1.5} if stage == "render" else {}
            fill(stage, index, staged.folder)
    return SceneOutputs(scene_name(index), keys)


def fill(stage: str, index: int, folder: Path) -> None:
    if stage == "part":
        (folder / "part.json").write_text("{}")
    elif stage == "render":
        write_view(folder / "views" / "v0", index)
        write_json(folder / "rows.json", render_rows(index))
        sums = (LightSum(f"{scene_name(index)}-v0", 1e-6, 2e-6),)
        bundle = SceneBundle(scene_name(index), "none", 8, ("rig", "world"), (), (), (), (), (), light_sums=sums)
        write_json(folder / BUNDLE_FILE, bundle)
    elif stage == "truth":
        row = edges_row(index, folder) | {"decomposition_path": DECOMPOSITION}
        write_decomposition(folder / DECOMPOSITION, index)
        write_json(folder / "rows.json", truth_rows(index) | {"reflection_layers": [row]})
    else:
        write_json(folder / "rows.json", photo_rows(index, folder))


def build_info(plan_hash: str = "plan") -> BuildInfo:
    return BuildInfo("tiny", "tiny.toml", 'name = "tiny"\n', plan_hash)


@pytest.fixture
def scene_maker() -> MakeScene:
    """make_scene(root, index, salt="") -> SceneOutputs."""
    return make_scene


@pytest.fixture
def info() -> BuildInfo:
    return build_info()


@pytest.fixture
def dataset_root(tmp_path: Path) -> Path:
    """A dataset with one build of four scenes, eight photos."""
    root = tmp_path / "dataset"
    write_build(root, [make_scene(root, index) for index in range(4)], build_info())
    return root
