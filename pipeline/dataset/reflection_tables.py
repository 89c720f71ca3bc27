"""The tables of what is made of a view's reflections after it was rendered: their layers, mirror images of parts,
patches of cast light.

Does not cover: what single parts show and where lamps glint (`reflections` and `highlights` in `tables`). docs/truth.md
defines each value.
"""

from __future__ import annotations

from typing import Final

from pipeline.dataset.columns import INTEGER, INTEGERS, NUMBER, NUMBERS, TEXT, Column, TableSchema

REFLECTION_LAYERS: Final = TableSchema(
    "reflection_layers",
    "the reflection layers of a view",
    ("view_id",),
    (
        Column("view_id", TEXT, "The view", required=True),
        Column("scene_id", TEXT, "Its scene"),
        Column(
            "decomposition_path",
            TEXT,
            "Highlight, inter-reflection, surroundings, diffuse, transmission and emission of each light group (EXR); "
            "null in builds without it",
        ),
        Column("edges_path", TEXT, "Edges: 0 none, 1 geometry, 2 surface, 3 reflection, 4 illumination (16-bit PNG)"),
        Column("false_edge_path", TEXT, "Contrast of edges, and the share of each cause in it (EXR, half)"),
        Column(
            "depth_failure_path",
            TEXT,
            "Where a structured-light sensor would fail, by projector and cause (EXR, half); null without projectors",
        ),
    ),
)

MIRROR_IMAGES: Final = TableSchema(
    "mirror_images",
    "a mirror image of a part: a region in which a surface shows a part that lies elsewhere, in a view",
    ("view_id", "mirror_image_id"),
    (
        Column("view_id", TEXT, "The view", required=True),
        Column("scene_id", TEXT, "Its scene"),
        Column("mirror_image_id", INTEGER, "Number of the mirror image in the view", required=True),
        Column("instance_id", INTEGER, "The part instance that is mirrored", required=True),
        Column("category", TEXT, "Its class label", required=True),
        Column("mirror_kind", TEXT, "part, support or surroundings: what mirrors it", required=True),
        Column("mirror_id", TEXT, "instance_id of the part that mirrors it, or name of the support", required=True),
        Column("mask_rle", TEXT, "COCO RLE as JSON text: pipeline.masks.decode", required=True),
        Column("bbox", NUMBERS, "x, y, w, h", "px", required=True, length=4),
        Column("area_px", INTEGER, "Pixels of the mask", "px", required=True),
        Column("clarity", NUMBER, "Mean share of a pixel's light that it mirrors from the part", "0..1", required=True),
        Column("mean_distance_m", NUMBER, "Mean length of the mirror ray", "m", required=True),
        Column("face_ids", INTEGERS, "CAD faces of the part that the image shows"),
    ),
)

CAST_LIGHT: Final = TableSchema(
    "cast_light",
    "a patch of light that the metal of a part throws onto its neighbourhood, in a view",
    ("view_id", "cast_light_id"),
    (
        Column("view_id", TEXT, "The view", required=True),
        Column("cast_light_id", INTEGER, "Number of the patch in the view, from 0", required=True),
        Column("instance_id", INTEGER, "The part instance that throws it", required=True),
        Column("light_id", TEXT, "The lamp that most of it comes from", required=True),
        Column("light_kind", TEXT, "softbox, bar, ring, dome, window ...", required=True),
        Column("light_group", TEXT, "Light group of that lamp", required=True),
        Column("receiver_kind", TEXT, "What most of it falls on: part or surroundings", required=True),
        Column("receiver_id", TEXT, "instance_id, or name of the piece of the surroundings", required=True),
        Column(
            "mask_rle", TEXT, "Pixels where it is seen; COCO RLE as JSON text: pipeline.masks.decode", required=True
        ),
        Column("bbox", NUMBERS, "x, y, w, h", "px", required=True, length=4),
        Column("area_px", INTEGER, "Pixels of the mask", "px", required=True),
        Column("centroid", NUMBERS, "x, y, weighted by its luminance; pixel centres at +0.5", "px", length=2),
        Column("peak_radiance", NUMBER, "Largest luminance of cast light in the mask", "W/(m2 sr), relative"),
        Column("contrast", NUMBER, "Luminance of cast light over that of all other light, of the whole mask"),
        Column("peak_contrast", NUMBER, "The same of the pixel where it is largest"),
        Column("share", NUMBER, "Share of the mask's cast light that comes from that lamp's group", "0..1"),
        Column("error", NUMBER, "Mean relative standard error of a pixel's cast light", "0..1"),
    ),
)
