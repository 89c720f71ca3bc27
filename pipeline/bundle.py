"""The light bundle on disk: the files a render leaves, their names, channels, dtypes and units.

`render` writes a bundle; `camera`, `truth`, `reflect` and the reader open it with the functions below. Does not
cover: how pixels come about. Layout, below the render stage's output folder:

    bundle.json                     SceneBundle
    scene.json                      the SceneSpec
    defects/<instance>-<id>.npz     drawn defects, see pipeline.defect_patches.Raster
    defects/<instance>-mesh.npz     vertices, triangles of a part whose shape a defect changed
    world_labels.png                uint16 labels of the far environment, texel by texel (SceneBundle.world); only
                                    where it is painted
    views/v<k>/light.exr            radiance that photos are made of, scene-linear Rec.709, W/(m2 sr) relative
    views/v<k>/terms.exr            the other radiance layers; see pipeline.layers for both
    views/v<k>/depth.exr            float32 metres along the camera's axis, 0 = nothing hit
    views/v<k>/normal.exr           float32 unit shading normal in the camera frame (OpenCV), 0 = nothing hit
    views/v<k>/position.exr         float32 metres, world frame
    views/v<k>/instance.png         uint16 instance_id, 0 = no part
    views/v<k>/object.png           uint16 object index of everything, 0 = nothing
    views/v<k>/face.png             uint16 CAD face_id + 1, 0 = no part
    views/v<k>/material.png         uint16 index into SceneBundle.materials + 1, 0 = nothing
    views/v<k>/mirror.exr           with glass: radiance that a perfect mirror in place of the pane shows, a layer for
                                    each light group, see MIRROR_FILE
    views/v<k>/mirror_reflection.exr  with glass: what the pane mirrors, channels as in reflection.exr, distances from
                                    the pane
    views/v<k>/context.exr          with glass: the view of the context camera, layers as in mirror.exr
    views/v<k>/reflection.exr       float32 channels of the one-sample mirror probe, see REFLECTION_CHANNELS
    views/v<k>/reflection2.exr      where the spec asks for two bounces: the same of the ray mirrored once more, see
                                    SECOND_BOUNCE_FILE
    views/v<k>/rough_reflection.exr unless the spec leaves it out: what metal shows with its real roughness, see
                                    ROUGH_CHANNELS
    views/v<k>/direct.exr           light that parts mirror straight from lamps and world, a layer for each light group,
                                    see DIRECT_FILE
    views/v<k>/cast_light.exr       radiance that metal parts throw onto their neighbourhood, a layer for each light
                                    group, and its standard error; see pipeline.layers.write_cast_light
    views/v<k>/thrower.png          uint16 instance_id of the part that throws most of a pixel's cast light, 0 = none
    views/v<k>/cast_lamp.png        uint16 object index of the lamp that most of it comes from, 0 = none
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import PlacedCamera, PlacedItem, PlacedPane, shifted
from pipeline.defect_patches import PatchPose
from pipeline.records import from_dict, read_json

BUNDLE_FILE: Final = "bundle.json"
SCENE_FILE: Final = "scene.json"
DEFECTS_FOLDER: Final = "defects"
"""Folder of the rasters of defects and of changed meshes, below the bundle and below the render job."""

PATH_TERMS: Final = (
    "diffuse_direct",
    "diffuse_indirect",
    "glossy_direct",
    "glossy_indirect",
    "transmission_direct",
    "transmission_indirect",
    "emission",
    "environment",
)
"""Light-path terms that add up to the radiance of all untouched paths."""

REFLECTION_CHANNELS: Final = ("object", "distance", "face", "direction.X", "direction.Y", "direction.Z")
"""`object`: object index that the mirror ray hits, WORLD_INDEX for the world, 0 where the pixel shows nothing;
`distance`: metres from the surface to that hit, 0 for the world; `face`: CAD face_id + 1 of the hit, 0 if no part;
`direction`: unit direction (world frame) into the environment, 0 unless the ray reaches the world."""

SECOND_BOUNCE_FILE: Final = "reflection2.exr"
"""Channels as in reflection.exr, of the ray that is mirrored once more where the first one ends, as if that surface
were polished too; distances from there. All 0 where the first ray reaches the world or nothing."""

ROUGH_FILE: Final = "rough_reflection.exr"
ROUGH_CHANNELS: Final = (
    "object",
    "share",
    "entropy",
    "rays",
    "part",
    "self",
    "lamp",
    "surroundings",
    "far_light",
    "far",
    "far_light_radiance",
)
"""What several rays per pixel meet that are mirrored with the metal's real roughness, each with its weight in the
microfacet model. `object` (float32): the object index with the largest share, as in `reflected_sources.read_hits`;
`share`: its share; `entropy`: of the shares of all things, bits; `rays`: share of the rays that count (they meet, at
the pixel, the object of its centre); `part`, `self`, `lamp`, `surroundings`, `far_light`, `far`: shares of other parts,
the part itself, lamps, other things at hand, labelled lamps of a far environment, the rest of the world, which add up
to 1; `far_light_radiance`: of the luminance that comes from the world, the share of its labelled lamps. Half floats.
All 0 where the pixel's centre does not show metal of a part."""

DIRECT_FILE: Final = "direct.exr"
"""Parts `group.<group>`: radiance of each light group that paths lamp - part - camera bring, without what the part
diffuses: mirrored or transmitted directly. Black where no part is. Few samples: for ratios, not for photos."""

MIRROR_FILE: Final = "mirror.exr"
CONTEXT_FILE: Final = "context.exr"
"""Layers of a view with glass: `denoised.<group>` (half) of a denoised scene, else `group.<group>`."""
MIRROR_REFLECTION_FILE: Final = "mirror_reflection.exr"

CAST_LIGHT_FILE: Final = "cast_light.exr"
THROWER_FILE: Final = "thrower.png"
CAST_LAMP_FILE: Final = "cast_lamp.png"

FIRST_SUPPORT: Final = 1001
FIRST_SURROUNDING: Final = 2001
FIRST_LAMP: Final = 3001
FIRST_FAR: Final = 50000
WORLD_INDEX: Final = 65535
"""Object indices: parts 1..1000 (= instance_id), supports, surroundings, lamps, and the world. Readers that look up
what a direction of the world shows call it FIRST_FAR + value of its label."""

WORLD_LABELS_FILE: Final = "world_labels.png"
FAR_PREFIX: Final = "far:"
"""What the ids of things in a far environment begin with."""

LOSSLESS: Final = "zip:1"
"""EXR compression of exact layers: depths, positions, normals, the mirror probe."""

_ROWS_AT_ONCE: Final = 64
"""Rows written to an EXR file in one go; a multiple of the 16 that zip compresses together."""

ObjectKind = Literal["part", "support", "surroundings", "light"]


@dataclass(frozen=True)
class BundleObject:
    """What an object index stands for."""

    index: int
    kind: ObjectKind
    id: str
    """part_id, light_id, or the label of a support or surrounding piece."""
    label: str
    """part: category; light: kind of lamp; else the label."""
    group: str | None
    """Light group of a lamp."""
    rig_index: int | None = None
    """The rig in whose views it is; None = in all."""


@dataclass(frozen=True)
class BundleMaterial:
    """What a value of material.png stands for."""

    name: str
    kind: Literal["metal", "plain", "emitter"]
    metal: str | None
    process: str | None
    ra_um: float | None
    alpha: tuple[float, float] | None = None
    """GGX alpha across and along the lay, both equal without one; None of emitters."""


@dataclass(frozen=True)
class BundleFinish:
    """The finish of one CAD face of one instance."""

    instance_id: int
    face_id: int
    process: str
    ra_um: float
    alpha_across: float
    alpha_along: float
    lay: str


@dataclass(frozen=True)
class BundleView:
    """One view of a bundle."""

    view_id: str
    view_index: int
    camera: PlacedCamera
    rig: str
    """Entry of assets/tables/rigs."""
    rig_index: int
    groups: tuple[str, ...]
    """Light groups of this view, in order: those of its rig and of the surroundings."""
    defects: bool = True
    """False in a defect-free twin."""
    twin_of: str | None = None
    """view_id of the same view with defects; None unless this is a twin."""
    rig_scale: float = 1.0
    """Size of the rig as it was built over the millimetres that the table declares."""
    analyser: float = 1.0
    """Share of unpolarised light that the analyser before the lens lets through; every radiance layer has lost the
    rest. 1 without an analyser."""
    pane: PlacedPane | None = None
    """The glass that the camera looks through. The layers of the view are without it."""
    belt_shift_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """How far belt, parts and whatever lies on the belt have moved in this view from where they were placed, world."""


@dataclass(frozen=True)
class PlacedDefect:
    """A defect as it was made on one instance. It is seen in every view with defects."""

    instance_id: int
    defect_id: int
    """1-based within the instance."""
    kind: str
    """Entry of assets/tables/defects."""
    severity: float
    """0 to 1."""
    face_ids: tuple[int, ...]
    """CAD faces that carry it, or that its edge separates."""
    centre_m: tuple[float, float, float]
    """Its middle, part frame."""
    size_m: tuple[float, float]
    """Length and width."""
    depth_m: float
    """Largest depth below, or height above, the sound surface; 0 when it has no relief."""
    file: str | None = None
    """Raster of a drawn defect, below the bundle; None when the part's mesh was changed instead."""
    pose: PatchPose | None = None
    """Chart of a drawn defect."""
    material: str | None = None
    """Material whose pixels are the defect, when the mesh was changed."""


@dataclass(frozen=True)
class SkippedDefect:
    """A defect that was drawn for an instance whose part has no place for it."""

    instance_id: int
    defect_id: int
    kind: str
    reason: str


@dataclass(frozen=True)
class ChangedMesh:
    """The shape of an instance in views with defects, where it differs from its part's."""

    instance_id: int
    file: str
    """npz below the bundle: vertices (n, 3) metres in the part frame, triangles (m, 3)."""


@dataclass(frozen=True)
class WorldLabel:
    """What a value of world_labels.png stands for."""

    value: int
    kind: Literal["light", "surroundings"]
    id: str
    """"far:" and a lamp's name, or what it is: "far:window_2_sky", "far:wall"."""
    label: str
    """What it is: kind of lamp, or the id without "far:"."""


@dataclass(frozen=True)
class BundleWorld:
    """The labels of a far environment."""

    group: str
    """Light group of its light."""
    yaw_rad: float
    """How far it is turned about the vertical, counter-clockwise from above, radians."""
    labels: tuple[WorldLabel, ...]


@dataclass(frozen=True)
class LightSum:
    """How well the layers of a view add up to what Blender rendered, as largest relative errors before rounding."""

    view_id: str
    groups: float
    """Of the sum of the light groups."""
    terms: float
    """Of the sum of the light-path terms."""


@dataclass(frozen=True)
class SamplesChoice:
    """How the samples of a scene were chosen. Errors are relative ones at metered grey, as `tolerated` is."""

    samples: int
    wanted: int
    """Samples at which the error equals what is tolerated; *samples* differs where a limit was hit."""
    least: int
    most: int
    tolerated: float
    """Relative noise of the cleanest planned photo (EMVA 1288)."""
    pilot_samples: int
    pilot_untouched: float
    """Error of the pilot's untouched picture: the square root of its variance in units of photon noise."""
    pilot_denoised: float | None
    """None: the scene is not denoised."""
    untouched: float
    """Expected error at *samples*."""
    denoised: float | None


@dataclass(frozen=True)
class SceneBundle:
    """`bundle.json`: what a reader must know to use the layers."""

    scene_id: str
    blender: str
    samples: int
    groups: tuple[str, ...]
    """Every light group of any view."""
    objects: tuple[BundleObject, ...]
    materials: tuple[BundleMaterial, ...]
    finishes: tuple[BundleFinish, ...]
    items: tuple[PlacedItem, ...]
    views: tuple[BundleView, ...]
    world: BundleWorld | None = None
    """Labels of the far environment; None where it has none (rooms, images)."""
    defects: tuple[PlacedDefect, ...] = ()
    skipped_defects: tuple[SkippedDefect, ...] = ()
    changed_meshes: tuple[ChangedMesh, ...] = ()
    light_sums: tuple[LightSum, ...] = ()
    """Of every view; see pipeline.layers.light_sums."""
    samples_choice: SamplesChoice | None = None
    """None: the spec set the samples."""


def world_texels(directions: NDArray[Any], shape: tuple[int, int], yaw_rad: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """(rows, columns) of the texels that (n, 3) unit *directions* of the world meet in an equirectangular picture.

    *shape*: rows and columns of the picture; *yaw_rad*: how far it is turned. Its top row looks up, its middle column
    along +x, the column a quarter to the left along +y (Blender's environment texture).
    """
    rows, columns = shape
    turns = (np.arctan2(directions[:, 1], directions[:, 0]) - yaw_rad) / (2 * np.pi)
    column = np.floor((0.5 - turns) * columns).astype(np.int64) % columns
    row = np.floor(np.arccos(np.clip(directions[:, 2], -1.0, 1.0)) / np.pi * rows).astype(np.int64)
    return np.clip(row, 0, rows - 1), column


def rides_the_belt(entry: BundleObject) -> bool:
    """Whether an object moves by `BundleView.belt_shift_m`: parts, the belt, and distractors on it."""
    return entry.kind == "part" or (
        entry.kind == "support" and (entry.id == "conveyor_belt" or entry.id.startswith("distractor:"))
    )


def item_in(view: BundleView, item: PlacedItem) -> PlacedItem:
    """*item* where it is in *view*."""
    return replace(item, world_from_part=shifted(item.world_from_part, view.belt_shift_m))


def view_folder(bundle: Path, view_index: int) -> Path:
    """Folder of one view's layers."""
    return bundle / "views" / f"v{view_index}"


def load_bundle(folder: Path) -> SceneBundle:
    """Read `bundle.json`. Raises FileNotFoundError when *folder* holds no bundle."""
    return from_dict(SceneBundle, read_json(folder / BUNDLE_FILE))


def read_exr(path: Path, prefixes: tuple[str, ...] | None = None) -> dict[str, NDArray[np.float32]]:
    """Read the channels of an EXR file whose names start with one of *prefixes* (all without): name -> (h, w) float32.

    Raises OSError when the file cannot be read.
    """
    import OpenImageIO as oiio

    file = open_exr(path)
    try:
        names = list(file.spec().channelnames)
        pixels = file.read_image(0, 0, 0, len(names), oiio.FLOAT)
        if pixels is None:
            raise OSError(f"cannot read the pixels of {path}: the file is damaged")
    finally:
        file.close()
    pixels = np.asarray(pixels, dtype=np.float32).reshape(pixels.shape[0], pixels.shape[1], -1)
    wanted = [index for index, name in enumerate(names) if prefixes is None or name.startswith(prefixes)]
    return {names[index]: np.ascontiguousarray(pixels[..., index]) for index in wanted}


def open_exr(path: Path) -> Any:
    """An OpenImageIO input of the EXR file at *path*, for the caller to close. Raises OSError."""
    import OpenImageIO as oiio  # imported here: half of the readers of this module never open an EXR

    file: Any = oiio.ImageInput.open(str(path))
    if file is None:
        raise OSError(f"cannot read {path}: {oiio.geterror()}")
    return file


def write_exr(path: Path, channels: dict[str, NDArray[Any]], compression: str = LOSSLESS) -> None:
    """Write (h, w) arrays as one EXR part; float16 arrays become half channels, all others float32.

    Same bytes for the same pixels. *compression* is an OpenEXR codec as OpenImageIO names it. Raises OSError when it
    cannot be written.
    """
    import OpenImageIO as oiio

    height, width = next(iter(channels.values())).shape
    halves = [a.dtype == np.float16 for a in channels.values()]
    spec = oiio.ImageSpec(width, height, len(channels), oiio.HALF if all(halves) else oiio.FLOAT)
    spec.channelnames = tuple(channels)
    if any(halves) and not all(halves):  # the writer ignores formats that are all the same
        spec.channelformats = tuple(oiio.HALF if half else oiio.FLOAT for half in halves)
    spec.attribute("compression", compression)
    spec.attribute("DateTime", "2000:01:01 00:00:00")  # the writer would put the wall clock here
    output: Any = oiio.ImageOutput.create(str(path))
    if output is None or not output.open(str(path), spec):
        raise OSError(f"cannot write {path}: {oiio.geterror()}")
    written = True
    for top in range(0, height, _ROWS_AT_ONCE):  # a whole image with every layer would double the renderer's memory
        bottom = min(top + _ROWS_AT_ONCE, height)
        block = np.stack([a[top:bottom] for a in channels.values()], axis=-1, dtype=np.float32)
        written = written and output.write_scanlines(top, bottom, 0, block)
    if not (output.close() and written):
        raise OSError(f"cannot write {path}: {output.geterror()}")


def layer(channels: dict[str, NDArray[np.float32]], name: str) -> NDArray[np.float32]:
    """(h, w, 3) float32 layer *name* from `read_exr`'s channels. Raises KeyError when it is not there."""
    return np.stack([channels[f"{name}.{axis}"] for axis in "RGB"], axis=-1)


def write_rgb(path: Path, image: NDArray[Any]) -> None:
    """Write one image (h, w, 3) as a lossless EXR with channels R G B, dtypes as in `write_exr`. Raises OSError."""
    write_exr(path, {axis: image[..., channel] for channel, axis in enumerate("RGB")})


def read_rgb(path: Path) -> NDArray[np.float32]:
    """The image (h, w, 3) float32 of a file that `write_rgb` wrote. Raises OSError when it cannot be read."""
    channels = read_exr(path)
    return np.stack([channels[axis] for axis in "RGB"], axis=-1)


def read_xyz(path: Path) -> NDArray[np.float32]:
    """The vectors (h, w, 3) float32 of position.exr or normal.exr. Raises OSError when it cannot be read."""
    channels = read_exr(path)
    return np.stack([channels[axis] for axis in "XYZ"], axis=-1)


def read_ids(path: Path) -> NDArray[np.uint16]:
    """Read a uint16 id layer (PNG) as (h, w). Raises OSError when it cannot be read."""
    import cv2

    ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if ids is None:
        raise OSError(f"cannot read {path}")
    return np.asarray(ids, dtype=np.uint16)


def write_ids(path: Path, ids: NDArray[np.uint16]) -> None:
    """Write a (h, w) uint16 id layer as PNG."""
    import cv2

    if not cv2.imwrite(str(path), ids.astype(np.uint16), [cv2.IMWRITE_PNG_COMPRESSION, 4]):
        raise OSError(f"cannot write {path}")
