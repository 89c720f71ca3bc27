"""The table of transfer: every try of every photo, with what the gate measured.

Does not cover: what became of the photo (columns of `photos`), the limits (`build.json`, `transfer`).
"""

from __future__ import annotations

from typing import Final

from pipeline.dataset.columns import FLAG, INTEGER, NUMBER, NUMBER_BY_NAME, TEXT, Column, TableSchema

TRANSFERS: Final = TableSchema(
    "transfers",
    "a try to move a photo towards real photographs",
    ("photo_id", "try_index"),
    (
        Column("photo_id", TEXT, "The photo", required=True),
        Column("scene_id", TEXT, "Its scene", required=True),
        Column(
            "try_index",
            INTEGER,
            "Number of the try, from 1; 0 = the round trip through the autoencoder, on which limits are calibrated",
            required=True,
        ),
        Column("strength", NUMBER, "Share of the noise schedule; 0 for the round trip", "0..1", required=True),
        Column("prompt", TEXT, "What the model was told"),
        Column("seed", INTEGER, "Seed of the noise"),
        Column("batch", INTEGER, "Photos per network call, one number for the whole build; null when none was made"),
        Column("scores", NUMBER_BY_NAME, "The worst value of each score of the gate"),
        Column(
            "exceeded",
            TEXT,
            "JSON list of {score, value, of}: single scores above the lowest limit that there can be",
            is_json=True,
        ),
        Column("problem", TEXT, "Why the try gave no picture; null when it gave one"),
        Column("kept", FLAG, "Whether the photo is this try's picture", required=True),
        Column("picture_path", TEXT, "Its picture (PNG); null when it could not have been kept under any limits"),
        Column("sha256", TEXT, "Checksum of that file"),
    ),
)
