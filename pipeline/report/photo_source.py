"""Where a photo of a build comes from: its scene as it was drawn, its place in it, and its light bundle.

Covers: looking these up. Does not cover: developing it again (`camera`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.dataset.build import open_build
from pipeline.errors import InputError
from pipeline.report.data import open_tables


@dataclass(frozen=True)
class PhotoSource:
    """What is needed to develop a photo again."""

    scene_id: str
    scene: dict[str, Any]
    """The SceneSpec as plain JSON values."""
    view_index: int
    photo_index: int
    bundle: Path
    """Folder of its light bundle, which may be gone."""
    spec_path: str
    """The dataset spec, as it was given to `build`."""


def photo_source(root: Path, photo_id: str) -> PhotoSource:
    """The source of photo *photo_id* of the newest build of *root*. Raises InputError when there is no such photo."""
    build = open_build(root)
    tables = open_tables(root, build.folder)
    photos = tables.rows("photos", ("photo_id", "view_id", "scene_id", "photo_index"), ("photo_id", [photo_id]))
    if not photos:
        raise InputError(
            f"expected the id of a photo of build {build.number}, found {photo_id!r}; only photos can be developed "
            f"again: `glint inspect {root} <scene or view>` lists them"
        )
    photo = photos[0]
    (view,) = tables.rows("views", ("view_id", "view_index", "bundle_path"), ("view_id", [photo["view_id"]]))
    (scene,) = tables.rows("scenes", ("scene_id", "spec_json"), ("scene_id", [photo["scene_id"]]))
    return PhotoSource(
        scene_id=str(photo["scene_id"]),
        scene=json.loads(scene["spec_json"]),
        view_index=int(view["view_index"]),
        photo_index=int(photo["photo_index"]),
        bundle=tables.file(view["bundle_path"]).parent,
        spec_path=build.record.spec_path,
    )
