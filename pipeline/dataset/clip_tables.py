"""The tables of clips: what their frames have lost to saturation.

Does not cover: the tables that every dataset fills (`tables`). docs/clips.md defines the values.
"""

from __future__ import annotations

from typing import Final

from pipeline.dataset.columns import INTEGER, NUMBER, NUMBERS, TEXT, TEXTS, Column, TableSchema

_RLE: Final = "COCO RLE as JSON text: pipeline.masks.decode"
_SATURATED: Final = "Pixels whose {} channel is above saturation; " + _RLE

OVEREXPOSED: Final = TableSchema(
    "overexposed",
    "a frame of a clip: what it has lost to saturation, and which past frames hold it",
    ("photo_id",),
    (
        Column("photo_id", TEXT, "The photo", required=True),
        Column("clip_id", TEXT, "Its clip", required=True),
        Column("frame_index", INTEGER, "Number of the frame in its clip, from 0", required=True),
        Column("view_id", TEXT, "Its view", required=True),
        Column("scene_id", TEXT, "Its scene", required=True),
        Column("mask_red_rle", TEXT, _SATURATED.format("red"), required=True),
        Column("mask_green_rle", TEXT, _SATURATED.format("green"), required=True),
        Column("mask_blue_rle", TEXT, _SATURATED.format("blue"), required=True),
        Column("mask_rle", TEXT, _SATURATED.format("red, green or blue"), required=True),
        Column("share", NUMBER, "Share of the pixels in mask_rle", "0..1", required=True),
        Column("stops_max", NUMBER, "Largest exposure above saturation in the mask; null when it is empty", "stops"),
        Column("stops_mean", NUMBER, "Mean of the brightest channel's stops above saturation in the mask", "stops"),
        Column(
            "radiance_path",
            TEXT,
            "Radiance as it reached the sensor, unclipped (EXR, half)",
            "W/(m2 sr), relative",
            required=True,
        ),
        Column(
            "signal_from_radiance",
            NUMBERS,
            "3x3 row-major: the sensor's channels from that radiance, as shares of its range; above 1 in the masks",
            required=True,
            length=9,
        ),
        Column("reference_photo_ids", TEXTS, "The past frames in order; empty when nothing is overexposed"),
        Column("reference_shares", NUMBERS, "Share of the mask's pixels that each of them shows well exposed", "0..1"),
        Column("reachable_share", NUMBER, "Share that any past frame shows well exposed; null without mask", "0..1"),
        Column("best_reference", TEXT, "Past frame with the largest share, the latest of equals; null when all are 0"),
        Column("best_reference_share", NUMBER, "Its share", "0..1"),
        Column(
            "best_reference_error_stops",
            NUMBER,
            "Median difference of luminance between the frames at those points: light that changed, mirrors that moved",
            "stops",
        ),
    ),
)
