"""The tables of a build: every column with its meaning and unit.

This module is the data contract in code; docs/data-contract.md is generated from it. Does not cover: how rows are
checked (`columns`), written (`build`) or read (`reader`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipeline.dataset.clip_tables import OVEREXPOSED
from pipeline.dataset.columns import (
    FLAG,
    INTEGER,
    INTEGERS,
    NUMBER,
    NUMBER_BY_NAME,
    NUMBERS,
    SCHEMA_VERSION,
    TEXT,
    TEXT_BY_NAME,
    TEXTS,
    Column,
    TableSchema,
    rows_to_arrow,
)
from pipeline.dataset.painted_table import PAINTED
from pipeline.dataset.reflection_tables import CAST_LIGHT, MIRROR_IMAGES, REFLECTION_LAYERS
from pipeline.dataset.transfer_table import TRANSFERS

__all__ = ["SCHEMA_VERSION", "TABLES", "rows_to_table"]

_RLE: Final = "COCO RLE as JSON text: pipeline.masks.decode"
_OPENCV: Final = "camera frame: OpenCV, x right, y down, z forward"

SCENES: Final = TableSchema(
    "scenes",
    "a scene: one arrangement of parts, surfaces, lights and cameras",
    ("scene_id",),
    (
        Column("scene_id", TEXT, "Name of the scene", required=True),
        Column("scene_key", TEXT, "Key of the scene's render in the store", required=True),
        Column("scene_index", INTEGER, "Number of the scene in the dataset, from 0"),
        Column("seed", INTEGER, "Seed that everything in the scene was drawn from", required=True),
        Column("split", TEXT, "train, val or test", required=True),
        Column("spec_json", TEXT, "The SceneSpec: everything that was drawn", required=True, is_json=True),
        Column("arrangement", TEXT, "How the parts lie: table, conveyor, tray, bin, pile ..."),
        Column("rig", TEXT, "Name of the set of lamps; the first of several", required=True),
        Column("rigs", TEXTS, "Every rig that the views are rendered under"),
        Column(
            "illuminance_lux",
            NUMBER,
            "Illuminance of the rig at the working plane: radiance 1 of a white reflector",
            "lx",
        ),
        Column("surroundings", TEXT, "Name of what the metal reflects beyond the rig", required=True),
        Column("painted_surface", TEXT, "Picture of the table `painted` that lies on the table; null: its own look"),
        Column("painted_backdrop", TEXT, "Picture of the table `painted` that stands behind the parts; null: none"),
        Column("light_groups", TEXTS, "Every light group of any view"),
        Column("n_items", INTEGER, "Part instances in the scene"),
        Column("n_views", INTEGER, "Views of the scene"),
        Column("samples", INTEGER, "Paths traced per pixel", required=True),
        Column("samples_wanted", INTEGER, 'Under samples = "auto": paths that the noise budget asked for, unlimited'),
        Column("noise_tolerated", NUMBER, "Relative noise of the sensor at metered grey in the cleanest planned photo"),
        Column("noise_untouched", NUMBER, "Expected rendering error at metered grey, untouched light, as a share"),
        Column("noise_denoised", NUMBER, "Expected rendering error at metered grey, denoised light, as a share"),
        Column("blender", TEXT, "Version of Blender"),
        Column(
            "render_seconds",
            NUMBER,
            "Wall time of the render, as it happened; the only measured column: it differs when a scene is made anew",
            "s",
        ),
    ),
)

VIEWS: Final = TableSchema(
    "views",
    "a view: one camera of a scene under one rig",
    ("view_id",),
    (
        Column("view_id", TEXT, "Name of the view", required=True),
        Column("scene_id", TEXT, "Its scene", required=True),
        Column("view_index", INTEGER, "Number of the view in its scene, from 0"),
        Column("camera_index", INTEGER, "Number of the camera in its scene: views of one camera show the same pixels"),
        Column("rig", TEXT, "The rig that lights this view"),
        Column("rig_scale", NUMBER, "Size of the rig as built over the millimetres that docs/rigs.md declares"),
        Column(
            "analyser_transmission",
            NUMBER,
            "Radiance of a white reflector under the declared illuminance: what an analyser before the lens lets "
            "through of unpolarised light; 1 without one",
        ),
        Column("light_groups", TEXTS, "Light groups that this view has a radiance image of"),
        Column("defects_shown", FLAG, "false: a twin, rendered without the defects"),
        Column("twin_of", TEXT, "View that this is the defect-free twin of"),
        Column("width", INTEGER, "Width of every layer", "px", required=True),
        Column("height", INTEGER, "Height of every layer", "px", required=True),
        Column("fx", NUMBER, "Focal length along x", "px", required=True),
        Column("fy", NUMBER, "Focal length along y", "px", required=True),
        Column("cx", NUMBER, "Principal point; the top left pixel's centre is at (0.5, 0.5)", "px", required=True),
        Column("cy", NUMBER, "Principal point", "px", required=True),
        Column(
            "cam_from_world",
            NUMBERS,
            f"4x4 row-major, world to {_OPENCV}; world: z up, support at z = 0",
            "m",
            required=True,
            length=16,
        ),
        Column("belt_shift_m", NUMBERS, "Clips: how far belt and parts have moved, world; else null", "m", length=3),
        Column("bundle_path", TEXT, "bundle.json: names of objects, groups and materials"),
        Column(
            "layers_path",
            TEXT,
            "Light groups as photos are made of them, scene-linear Rec.709 (EXR); null: not kept",
            "W/(m2 sr), relative",
        ),
        Column(
            "terms_path",
            TEXT,
            "Untouched light groups and light-path terms (EXR); null: not kept",
            "W/(m2 sr), relative",
        ),
        Column("depth_path", TEXT, "Distance along the camera's axis, 0 = nothing (EXR)", "m"),
        Column("normal_path", TEXT, f"Unit shading normal, {_OPENCV} (EXR)", ""),
        Column("position_path", TEXT, "World position (EXR)", "m"),
        Column("instance_path", TEXT, "instance_id, 0 = no part (16-bit PNG)", ""),
        Column("object_path", TEXT, "Object index of everything, 0 = nothing (16-bit PNG)"),
        Column("face_path", TEXT, "CAD face_id + 1, 0 = no part (16-bit PNG)", ""),
        Column("material_path", TEXT, "Material index + 1, 0 = nothing (16-bit PNG)"),
        Column("reflection_path", TEXT, "What the mirror ray of each pixel hits (EXR)", ""),
        Column("reflection2_path", TEXT, "What the ray hits that is mirrored twice (EXR); null unless asked for"),
        Column("rough_reflection_path", TEXT, "What metal shows mostly, with its real roughness (EXR)"),
        Column(
            "direct_path",
            TEXT,
            "Mirrored light that came straight from lamps and world, by light group (EXR); null: not kept",
            "W/(m2 sr), relative",
        ),
        Column(
            "cast_light_path", TEXT, "Light that metal throws onto its neighbourhood, by light group (EXR); null: none"
        ),
        Column("thrower_path", TEXT, "instance_id of the part that throws most of it, 0 = none (16-bit PNG)"),
        Column("cast_lamp_path", TEXT, "Object index of the lamp that most of it comes from, 0 = none (16-bit PNG)"),
        Column("mirror_path", TEXT, "With glass: what a perfect mirror in its place shows, by light group (EXR)"),
        Column("mirror_reflection_path", TEXT, "With glass: what each pixel of that mirror hits (EXR)"),
        Column("context_path", TEXT, "With glass: the view of the context camera, by light group (EXR)"),
    ),
)

PHOTOS: Final = TableSchema(
    "photos",
    "a photo: one exposure of a view; the unit of training",
    ("photo_id",),
    (
        Column("photo_id", TEXT, "Name of the photo", required=True),
        Column("view_id", TEXT, "Its view", required=True),
        Column("scene_id", TEXT, "Its scene", required=True),
        Column("photo_index", INTEGER, "Number of the photo in its view, from 0"),
        Column("split", TEXT, "train, val or test; the scene's", required=True),
        Column("clip_id", TEXT, "The clip that it is a frame of; null for a single photo"),
        Column("frame_index", INTEGER, "Number of the frame in its clip, from 0"),
        Column("time_s", NUMBER, "Time since the clip's first frame", "s"),
        Column("image_path", TEXT, "The photo, sRGB", required=True),
        Column(
            "raw_path",
            TEXT,
            "Sensor values before development: DNG; TIFF of a mono sensor; null when not kept",
        ),
        Column("sha256", TEXT, "Checksum of the file at image_path", required=True),
        Column("width", INTEGER, "Width", "px", required=True),
        Column("height", INTEGER, "Height", "px", required=True),
        Column("fx", NUMBER, "Focal length along x of the photo's own camera; null = the view's camera", "px"),
        Column("fy", NUMBER, "Focal length along y", "px"),
        Column("cx", NUMBER, "Principal point", "px"),
        Column("cy", NUMBER, "Principal point", "px"),
        Column("distortion", NUMBERS, "k1, k2, p1, p2, k3 of Brown and Conrady, in OpenCV's order", length=5),
        Column("origin", TEXT, "camera, or sd15 for a photo that went through transfer", required=True),
        Column("seed", INTEGER, "Seed of the sensor noise"),
        Column("exposure_ev", NUMBER, "Exposure relative to the metered one", "stops"),
        Column(
            "exposure_scale", NUMBERS, "Share of the sensor's range per unit of white radiance, for R, G, B", length=3
        ),
        Column(
            "exposure_matrix",
            NUMBERS,
            "3x3, row-major: share of the range in the sensor's R, G, B per unit of linear Rec.709 radiance",
            length=9,
        ),
        Column(
            "saturation_radiance",
            NUMBERS,
            "White radiance at which R, G, B clip in the middle of the image",
            "W/(m2 sr), relative",
            length=3,
        ),
        Column("shutter_s", NUMBER, "Exposure time", "s"),
        Column("gain", NUMBER, "Analogue gain of the sensor, 1 = base"),
        Column("f_number", NUMBER, "Aperture"),
        Column("cct_k", NUMBER, "Correlated colour temperature of the light mix", "K"),
        Column("white_balance_k", NUMBER, "Colour temperature that the camera takes for white", "K"),
        Column("white_balance", TEXT, "Where that comes from: as_shot, auto, or fixed (wrong on purpose)"),
        Column("metering", TEXT, "centre_weighted, average, spot, highlight or matrix"),
        Column("processing", TEXT, "Demosaicking, noise reduction, sharpening, JPEG quality", is_json=True),
        Column("bracket_id", TEXT, "Exposures of one light mix share it; null outside brackets"),
        Column("bracket_index", INTEGER, "Place in the bracket, the darkest first"),
        Column("burst_id", TEXT, "Photos taken in a row share it; null outside bursts"),
        Column("burst_index", INTEGER, "Place in the burst, from 0"),
        Column("light_cct_k", NUMBER_BY_NAME, "Colour temperature per light group; absent = as rendered", "K"),
        Column("light_weights", NUMBER_BY_NAME, "Brightness per light group; absent = 1"),
        Column("drivers", TEXT_BY_NAME, "How the lamps of a light group are driven; absent = steady"),
        Column(
            "light_gathered",
            NUMBER_BY_NAME,
            "Light that the exposure gathered per light group, over that of steady lamps; mean over the rows",
        ),
        Column("sensor", TEXT, "Name of the sensor"),
        Column("camera_serial", TEXT, "Serial number: photos with the same sensor and serial come from one camera"),
        Column("sensor_temperature_c", NUMBER, "Temperature of the sensor", "degrees Celsius"),
        Column("lens", TEXT, "Name of the lens"),
        Column("defocus_px", NUMBER, "Diameter of the circle of confusion", "px"),
        Column("dust_spots", INTEGER, "Grains of dust on the sensor's cover"),
        Column("smear", NUMBER, "Share of light that the worst place of the front lens scatters", "0..1"),
        Column("tone", TEXT, "filmic, agx, srgb or linear"),
        Column("clipped_fraction", NUMBER, "Share of pixels with at least one channel clipped", "0..1"),
        Column("clipped_px", INTEGERS, "Clipped pixels in red, green, blue", "px", length=3),
        Column(
            "stops_above_max",
            NUMBERS,
            "Largest exposure above saturation in red, green, blue; 0 where nothing is clipped",
            "stops",
            length=3,
        ),
        Column(
            "stops_above_path",
            TEXT,
            "Exposure above saturation in red, green, blue, 0 where not clipped (EXR, half); null when not kept",
            "stops",
        ),
        Column("transfer_model", TEXT, "Model that changed the photo, null for origin camera"),
        Column("transfer_strength", NUMBER, "Strength of that change, null for origin camera", "0..1"),
        Column(
            "gate_passed",
            FLAG,
            "Whether the labels still hold after transfer; false: the photo is the camera's; null: it was not tried",
        ),
        Column("gate_scores", NUMBER_BY_NAME, "What the gate measured, of the try that was kept, else of the last"),
        Column("gate_reason", TEXT, "Why tries before failed; null when the first was kept or none was made"),
        Column("camera_image_path", TEXT, "The camera's photo of a changed one; null unless the spec keeps both"),
        Column("camera_sha256", TEXT, "Checksum of that file"),
        Column("quality_flags", TEXTS, "What a user may want to leave out, for example overexposed"),
    ),
)

INSTANCES: Final = TableSchema(
    "instances",
    "a part instance in a view",
    ("view_id", "instance_id"),
    (
        Column("view_id", TEXT, "The view", required=True),
        Column("scene_id", TEXT, "Its scene"),
        Column("instance_id", INTEGER, "Value in the instance layer, from 1", required=True),
        Column("part_id", TEXT, "Name of the part", required=True),
        Column("category", TEXT, "Class label", required=True),
        Column("metal", TEXT, "Name of the metal", required=True),
        Column("finish", TEXT, "Name of the finish scheme of the whole part"),
        Column("finishes", TEXT_BY_NAME, "CAD face_id -> process that made the face"),
        Column("ra_um", NUMBER_BY_NAME, "CAD face_id -> arithmetic mean roughness Ra", "um"),
        Column("model_to_camera", NUMBERS, f"4x4 row-major, part frame to {_OPENCV}", "m", required=True, length=16),
        Column(
            "bbox_visible", NUMBERS, "Box of the visible mask: x, y, w, h; null when nothing is seen", "px", length=4
        ),
        Column(
            "bbox_full",
            NUMBERS,
            "Box of the whole silhouette, were nothing before it; may reach beyond the frame: x, y, w, h",
            "px",
            length=4,
        ),
        Column("box3d_corners", NUMBERS, f"8 corners (x, y, z) of the part's own box, {_OPENCV}", "m", length=24),
        Column("diameter_m", NUMBER, "Largest distance between two points of the part", "m"),
        Column("distance_m", NUMBER, "From the camera to the centre of the part's box", "m"),
        Column("px_visible", INTEGER, "Pixels of the visible mask", "px", required=True),
        Column("px_full", INTEGER, "Pixels of the whole silhouette, beyond the frame too", "px", required=True),
        Column("visible_fraction", NUMBER, "px_visible / px_full", "0..1", required=True),
        Column("mask_rle", TEXT, f"Visible mask; {_RLE}", required=True),
        Column("mask_full_rle", TEXT, f"Silhouette within the frame, were nothing before it; {_RLE}", required=True),
        Column("truncated", FLAG, "Whether the silhouette crosses the frame's border", required=True),
        Column(
            "symmetries",
            TEXT,
            "JSON {discrete: 4x4 row-major matrices, continuous: [axis, offset] pairs} in the part frame (BOP)",
            "m",
            is_json=True,
        ),
    ),
)

HIGHLIGHTS: Final = TableSchema(
    "highlights",
    "a highlight in a photo: the direct mirror image of an emitter on a part",
    ("photo_id", "highlight_id"),
    (
        Column("photo_id", TEXT, "The photo", required=True),
        Column("view_id", TEXT, "Its view"),
        Column("highlight_id", INTEGER, "Number of the highlight in the photo", required=True),
        Column("instance_id", INTEGER, "The part instance that shows it", required=True),
        Column("light_id", TEXT, "The lamp, or world", required=True),
        Column("light_kind", TEXT, "softbox, bar, ring, dome, window ...", required=True),
        Column("light_group", TEXT, "Light group of the lamp"),
        Column("mask_rle", TEXT, _RLE, required=True),
        Column("bbox", NUMBERS, "x, y, w, h", "px", required=True, length=4),
        Column("area_px", INTEGER, "Pixels of the mask", "px", required=True),
        Column("centroid", NUMBERS, "x, y, weighted by radiance; pixel centres at +0.5", "px", length=2),
        Column("peak_radiance", NUMBER, "Largest luminance in the mask", "W/(m2 sr), relative"),
        Column("energy", NUMBER, "Sum over the mask of luminance times the pixel's solid angle", "W/m2, relative"),
        Column("clipped_px", INTEGERS, "Clipped pixels in red, green, blue", "px", length=3),
        Column("face_ids", INTEGERS, "CAD faces that the highlight lies on"),
    ),
)

REFLECTIONS: Final = TableSchema(
    "reflections",
    "something that a part shows, in a view",
    ("view_id", "instance_id", "reflected_kind", "reflected_id"),
    (
        Column("view_id", TEXT, "The view", required=True),
        Column("instance_id", INTEGER, "The part instance that shows it", required=True),
        Column("reflected_kind", TEXT, "part, self, light or surroundings", required=True),
        Column("reflected_id", TEXT, "instance_id, light_id or name of the surroundings", required=True),
        Column("area_px", INTEGER, "Pixels that show it", "px", required=True),
        Column("share", NUMBER, "area_px over the instance's visible pixels", "0..1", required=True),
        Column("mean_distance_m", NUMBER, "Mean length of the mirror ray; null for what is infinitely far", "m"),
        Column("mask_rle", TEXT, _RLE, required=True),
    ),
)

DEFECTS: Final = TableSchema(
    "defects",
    "a defect of a part instance, in a view that shows defects",
    ("view_id", "instance_id", "defect_id"),
    (
        Column("view_id", TEXT, "The view", required=True),
        Column("scene_id", TEXT, "Its scene"),
        Column("instance_id", INTEGER, "The part instance that has it", required=True),
        Column("defect_id", INTEGER, "Number of the defect on the instance, from 1", required=True),
        Column("kind", TEXT, "scratch, dent, burr, chip, pit, porosity, crack, rust, stain ...", required=True),
        Column("severity", NUMBER, "0 = hardly visible, 1 = scrap", "0..1", required=True),
        Column("size_mm", NUMBERS, "Length and width of the defect on the part", "mm", required=True, length=2),
        Column("depth_um", NUMBER, "Largest depth below or height above the sound surface; 0 without relief", "um"),
        Column("face_ids", INTEGERS, "CAD faces that carry it, or that its edge separates", required=True),
        Column("position", NUMBERS, f"Its middle, {_OPENCV}", "m", required=True, length=3),
        Column("centre_px", NUMBERS, "Its middle in the image, seen or not; null behind the camera", "px", length=2),
        Column("visible", FLAG, "Whether any pixel shows it", required=True),
        Column("bbox", NUMBERS, "Box of the mask: x, y, w, h; null when nothing is seen", "px", length=4),
        Column("area_px", INTEGER, "Pixels that it touches: those of the mask", "px", required=True),
        Column("covered_px", NUMBER, "Sum over the mask of the share of each pixel that it covers", "px"),
        Column("mask_rle", TEXT, f"Pixels that it touches; {_RLE}", required=True),
    ),
)

_LINEAR: Final = "linear Rec.709, exposed and balanced as the photo, 1 = white card, not clipped (float EXR)"

GLASS: Final = TableSchema(
    "glass",
    "a photo through glass: its mixture m = t + r, apart",
    ("photo_id",),
    (
        Column("photo_id", TEXT, "The photo, which shows m", required=True),
        Column("view_id", TEXT, "Its view, whose labels are those of t", required=True),
        Column("scene_id", TEXT, "Its scene"),
        Column("m_path", TEXT, f"Mixture, {_LINEAR}", required=True),
        Column("t_path", TEXT, f"Transmission, {_LINEAR}", required=True),
        Column("r_path", TEXT, f"Reflection, {_LINEAR}", required=True),
        Column("c_path", TEXT, f"Context view, {_LINEAR}", required=True),
        Column("m_raw_path", TEXT, "RAW file of the mixture: the photo's own, null when not kept"),
        Column("t_raw_path", TEXT, "RAW file of the transmission alone, at the photo's exposure, with its own noise"),
        Column("r_raw_path", TEXT, "RAW file of the reflection alone"),
        Column("c_raw_path", TEXT, "RAW file of the context view"),
        Column("kind", TEXT, "Kind of pane: an entry of assets/tables/glass.toml", required=True),
        Column("thickness_mm", NUMBER, "Thickness of the pane", "mm", required=True),
        Column("refractive_index", NUMBER, "Refractive index of the pane", required=True),
        Column(
            "camera_from_pane",
            NUMBERS,
            f"4x4 row-major, pane to {_OPENCV}; pane: front face at z = 0, z towards the camera's side",
            "m",
            required=True,
            length=16,
        ),
        Column(
            "context_from_world",
            NUMBERS,
            "4x4 row-major, world to the context camera's frame; its focal length is the view's",
            "m",
            required=True,
            length=16,
        ),
        Column("incidence_mean_deg", NUMBER, "Angle of incidence on the pane, mean of all pixels", "deg"),
        Column("incidence_max_deg", NUMBER, "Largest angle of incidence of any pixel", "deg"),
        Column("ghost_shift_px", NUMBER, "Mean distance between the mirror images of the pane's two faces", "px"),
        Column("reflected_share", NUMBER, "Share of the mixture's luminance that is r; null in the dark", "0..1"),
        Column("mix_scores", NUMBER_BY_NAME, "What well_mixed judges: clipped, mean, t_visible, r_visible, r_share"),
        Column("well_mixed", FLAG, "Whether m is well exposed and both layers can be seen (docs/glass.md)"),
    ),
)

OUTPUTS: Final = TableSchema(
    "outputs",
    "a stage output that the build is made of",
    ("scene_id", "stage"),
    (
        Column("scene_id", TEXT, "The scene", required=True),
        Column("stage", TEXT, "render, truth, photos ...", required=True),
        Column("key", TEXT, "Key in the store", required=True),
    ),
)

TABLES: Final[dict[str, TableSchema]] = {
    table.name: table
    for table in (
        SCENES,
        VIEWS,
        PHOTOS,
        INSTANCES,
        HIGHLIGHTS,
        REFLECTIONS,
        REFLECTION_LAYERS,
        MIRROR_IMAGES,
        CAST_LIGHT,
        DEFECTS,
        GLASS,
        OVEREXPOSED,
        TRANSFERS,
        PAINTED,
        OUTPUTS,
    )
}
"""Every table of a build by name. Which scene, view and photo a row belongs to is in its *_id columns."""


def rows_to_table(name: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows of table *name* as a pyarrow.Table; see `columns.rows_to_arrow`. Raises ValueError, KeyError."""
    return rows_to_arrow(TABLES[name], rows)
