"""The table of painted pictures: where surface plates and backdrops of a build come from.

Does not cover: which scene uses which (columns of `scenes`).
"""

from __future__ import annotations

from typing import Final

from pipeline.dataset.columns import INTEGER, TEXT, TEXT_BY_NAME, Column, TableSchema

PAINTED: Final = TableSchema(
    "painted",
    "a picture that a model painted for scenes",
    ("picture_id",),
    (
        Column("picture_id", TEXT, "Its name in the spec and its number", required=True),
        Column("kind", TEXT, "surface: lies on tables; backdrop: stands behind the parts", required=True),
        Column("picture_path", TEXT, "The picture, sRGB (PNG)", required=True),
        Column("sha256", TEXT, "Checksum of that file", required=True),
        Column("prompt", TEXT, "What the model was told", required=True),
        Column("negative_prompt", TEXT, "What the picture should not be"),
        Column("seed", INTEGER, "Seed of the noise", required=True),
        Column("model", TEXT, "Name of the checkpoint", required=True),
        Column("model_sha256", TEXT, "SHA-256 of its weights", required=True),
        Column("licence", TEXT, "Licence of the checkpoint, as recorded when it was added"),
        Column("settings", TEXT, "Size, steps, guidance, scheduler", is_json=True),
        Column("device", TEXT, "Class of the device that painted it"),
        Column("dtype", TEXT, "Number format of the networks"),
        Column("libraries", TEXT_BY_NAME, "Versions of torch, diffusers and transformers"),
    ),
)
