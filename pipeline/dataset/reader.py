"""Reading a dataset: tables, photos, masks and layers, for training jobs and for the report.

Covers: everything a build's tables point at. Does not cover: making or checking a dataset. Imports neither Blender nor
Dask nor torch; image libraries are imported by the first call that needs one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import REFLECTION_CHANNELS, ROUGH_CHANNELS
from pipeline.dataset import read_edges, read_reflections
from pipeline.dataset.build import open_build, read_build_record
from pipeline.dataset.clips import ClipFrame
from pipeline.dataset.columns import NUMBER_BY_NAME, TEXT_BY_NAME
from pipeline.dataset.keep import not_kept, was_dropped
from pipeline.dataset.tables import TABLES
from pipeline.errors import DamageFound, InputError
from pipeline.photo_geometry import PhotoGeometry, geometry_of_rows
from pipeline.pictures import read_picture

if TYPE_CHECKING:
    from pipeline.reflected_sources import ReflectedSources

Row = dict[str, Any]

_VALUE_LAYERS: Final = ("depth", "normal", "position")
_ID_LAYERS: Final = ("instance", "object", "face", "material")
_PROBE_LAYERS: Final = (
    *(f"{probe}.{channel}" for probe in ("reflection", "reflection2") for channel in REFLECTION_CHANNELS),
    *(f"rough_reflection.{channel}" for channel in ROUGH_CHANNELS),
)


class Dataset:
    """One build of a dataset, read only.

    A training job in another repository needs no more than this:

        class Photos(torch.utils.data.Dataset):
            def __init__(self, path):
                self.dataset = open_dataset(path)
                self.ids = self.dataset.photo_ids("train")

            def __len__(self):
                return len(self.ids)

            def __getitem__(self, i):
                photo = self.dataset.photo(self.ids[i])
                image = torch.from_numpy(self.dataset.image(self.ids[i])).permute(2, 0, 1)
                parts = self.dataset.instances(photo["view_id"])
                masks = [self.dataset.photo_mask(self.ids[i], part["mask_rle"]) for part in parts]
                return image, torch.from_numpy(numpy.stack(masks))

    Tables are read when first used. An instance may be used by several threads, and pickled by a data loader.
    """

    def __init__(self, path: Path, build: str | Path | None = None) -> None:
        """Open the build named *build* (None: the newest; a folder: that one, even before it is published) of the
        dataset folder *path*. Raises InputError when there is none."""
        self.root = Path(path).absolute()
        self.folder = build if isinstance(build, Path) else open_build(self.root, build).folder
        self.record = read_build_record(self.folder)
        self._tables: dict[str, Any] = {}
        self._places: dict[tuple[str, str], dict[str, list[int]]] = {}

    def __reduce__(self) -> tuple[type[Dataset], tuple[Path, Path]]:
        """A copy in another process reads the tables itself."""
        return Dataset, (self.root, self.folder)

    def table(self, name: str) -> Any:
        """A whole table as pyarrow.Table. Raises InputError for an unknown name."""
        if name not in TABLES:
            raise InputError(f"expected a table ({', '.join(TABLES)}), found {name!r}")
        if name not in self._tables:
            path = self.folder / f"{name}.parquet"
            try:
                self._tables[name] = pq.read_table(path)
            except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
                raise DamageFound(f"{path}: expected a Parquet table, found {error}") from error
        return self._tables[name]

    @property
    def scenes(self) -> Any:
        """pyarrow.Table, a row per scene."""
        return self.table("scenes")

    @property
    def views(self) -> Any:
        """pyarrow.Table, a row per view."""
        return self.table("views")

    @property
    def photos(self) -> Any:
        """pyarrow.Table, a row per photo."""
        return self.table("photos")

    def photo_ids(self, split: str | None = None) -> list[str]:
        """Ids of the photos of *split* ("train", "val", "test"), or of all, in the order of the build."""
        ids = self.photos.column("photo_id").to_pylist()
        if split is None:
            return list(ids)
        return [name for name, its in zip(ids, self.photos.column("split").to_pylist(), strict=True) if its == split]

    def iter_photos(self, split: str | None = None) -> Iterator[Row]:
        """The rows of the photos of *split*, or of all, in the order of the build."""
        for photo_id in self.photo_ids(split):
            yield self.photo(photo_id)

    def scene(self, scene_id: str) -> Row:
        """The row of a scene. Raises InputError when the build has none of that id; so do `view` and `photo`."""
        return self._one("scenes", "scene_id", scene_id)

    def view(self, view_id: str) -> Row:
        """The row of a view."""
        return self._one("views", "view_id", view_id)

    def photo(self, photo_id: str) -> Row:
        """The row of a photo."""
        return self._one("photos", "photo_id", photo_id)

    def views_of(self, scene_id: str) -> list[Row]:
        """The views of a scene."""
        return self.rows("views", "scene_id", scene_id)

    def photos_of(self, view_id: str) -> list[Row]:
        """The photos of a view."""
        return self.rows("photos", "view_id", view_id)

    def instances(self, view_id: str) -> list[Row]:
        """The part instances in a view, seen or not."""
        return self.rows("instances", "view_id", view_id)

    def highlights(self, photo_id: str) -> list[Row]:
        """The highlights in a photo."""
        return self.rows("highlights", "photo_id", photo_id)

    def reflections(self, view_id: str) -> list[Row]:
        """What the parts of a view show."""
        return self.rows("reflections", "view_id", view_id)

    def mirror_images(self, view_id: str) -> list[Row]:
        """The mirror images of parts in a view; none in builds before schema 2.1."""
        if not (self.folder / "mirror_images.parquet").is_file():
            return []
        return self.rows("mirror_images", "view_id", view_id)

    def cast_light(self, view_id: str) -> list[Row]:
        """The patches of light that the metal of parts throws onto its neighbourhood; none in builds before them."""
        if not (self.folder / "cast_light.parquet").is_file():
            return []
        return self.rows("cast_light", "view_id", view_id)

    def cast_light_layers(self, view_id: str) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float32]]:
        """Light group -> (h, w, 3) radiance of cast light, and (h, w) the standard error of its luminance, float32.

        Raises InputError when the view has none or it is not kept, DamageFound when the file cannot be read.
        """
        from pipeline.layers import read_cast_light

        self._require_cast_light(view_id)
        try:
            return read_cast_light(self._file(view_id, "cast_light_path"))
        except OSError as error:
            raise DamageFound(str(error)) from error

    def thrower_ids(self, view_id: str) -> NDArray[np.uint16]:
        """(h, w) uint16 instance_id of the part that throws most of a pixel's cast light, 0 = none."""
        self._require_cast_light(view_id)
        return self._ids(view_id, "thrower_path")

    def _require_cast_light(self, view_id: str) -> None:
        """Raise InputError for a view whose cast light was not traced, as in builds before schema 2.1."""
        view = self.view(view_id)
        traced = view.get("cast_light_path") is not None
        if not traced and ("cast_light_path" not in view or view["instance_path"] is not None):
            raise InputError(f"expected cast light, found none in view {view_id}: cast_light in [render] makes it")

    def defects(self, view_id: str) -> list[Row]:
        """The defects in a view, seen or not; none in a defect-free twin."""
        return self.rows("defects", "view_id", view_id)

    def glass(self, photo_id: str) -> Row | None:
        """The pane and the layers of a photo through glass; None for a photo without, and in builds before glass."""
        if not (self.folder / "glass.parquet").is_file():
            return None
        rows = self.rows("glass", "photo_id", photo_id)
        return rows[0] if rows else None

    def linear(self, photo_id: str, layer: str) -> NDArray[np.float32]:
        """(h, w, 3) float32 of a photo through glass: *layer* "m", "t", "r" or "c", linear Rec.709, 1 = white card.

        Raises InputError for a photo without glass, DamageFound when the file cannot be read.
        """
        from pipeline.bundle import read_rgb

        row = self.glass(photo_id)
        if row is None:
            raise InputError(f"expected a photo through glass, found none in front of {photo_id}")
        try:
            return read_rgb(self.root / row[f"{layer}_path"])
        except OSError as error:
            raise DamageFound(str(error)) from error

    def clip_ids(self, split: str | None = None) -> list[str]:
        """Ids of the clips of *split*, or of all, in the order of the build."""
        photos = self.photos.select(["clip_id", "split"]).to_pylist()
        found = [row["clip_id"] for row in photos if row["clip_id"] and split in {None, row["split"]}]
        return list(dict.fromkeys(found))

    def clip(self, clip_id: str) -> Iterator[ClipFrame]:
        """The frames of a clip in order of time. Raises InputError when the build has none of that id."""
        self._one("photos", "clip_id", clip_id)
        for photo in sorted(self.rows("photos", "clip_id", clip_id), key=lambda row: int(row["frame_index"])):
            yield ClipFrame(self, photo, self._one("overexposed", "photo_id", photo["photo_id"]))

    def image(self, photo_id: str) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 RGB, sRGB. Raises DamageFound when the file cannot be read."""
        return read_picture(self.root / self.photo(photo_id)["image_path"])

    def camera_image(self, photo_id: str) -> NDArray[np.uint8]:
        """The photo as the camera took it, like `image`: another one for photos that transfer changed.

        Raises InputError where the spec does not keep both, DamageFound as `image` does.
        """
        photo = self.photo(photo_id)
        path = photo["image_path"] if photo["origin"] == "camera" else photo["camera_image_path"]
        if path is None:
            raise InputError(
                f"expected the camera's photo of {photo_id} beside the changed one, found only that; say keep_camera = "
                f"true in [transfer] of the spec and build again"
            )
        return read_picture(self.root / path)

    def stops_above(self, photo_id: str) -> NDArray[np.float32]:
        """(h, w, 3) float32: stops by which red, green and blue are exposed above saturation, 0 where not clipped.

        Raises InputError when the photo has no such file, DamageFound when it cannot be read.
        """
        from pipeline.bundle import read_rgb

        photo = self.photo(photo_id)
        if photo.get("stops_above_path") is None:
            raise InputError(
                f"expected the stops above saturation of photo {photo_id}, found none: the spec says "
                "stops_above = false in [photos], or the build is older; build again with stops_above = true"
            )
        try:
            return read_rgb(self.root / photo["stops_above_path"])
        except OSError as error:
            raise DamageFound(str(error)) from error

    def mask(self, rle: str) -> NDArray[np.bool_]:
        """(h, w) bool from a mask column."""
        return masks.decode(rle)

    def layers(self, view_id: str) -> dict[str, NDArray[np.float32]]:
        """Radiance layers by name ("combined", "noisy", "group.<name>", "diffuse_direct" ...): (h, w, 3) float32,
        scene-linear Rec.709, W/(m2 sr) relative to the rig's calibrated white.

        Raises InputError when this build does not keep them (`keep` in its spec), DamageFound when they cannot be
        read.
        """
        from pipeline.layers import read_layers

        try:
            return read_layers(self._file(view_id, "layers_path").parent)
        except OSError as error:
            raise DamageFound(str(error)) from error

    def depth(self, view_id: str) -> NDArray[np.float32]:
        """(h, w) float32 metres along the camera's axis, 0 where nothing was hit."""
        return next(iter(self._channels(view_id, "depth_path").values()))

    def normal(self, view_id: str) -> NDArray[np.float32]:
        """(h, w, 3) float32 unit shading normals in the camera frame (OpenCV), 0 where nothing was hit."""
        return np.stack(list(self._channels(view_id, "normal_path").values())[:3], axis=-1)

    def position(self, view_id: str) -> NDArray[np.float32]:
        """(h, w, 3) float32 metres in the world frame."""
        return np.stack(list(self._channels(view_id, "position_path").values())[:3], axis=-1)

    def reflection(self, view_id: str) -> dict[str, NDArray[np.float32]]:
        """Channels of the mirror probe (`pipeline.bundle.REFLECTION_CHANNELS`), (h, w) float32 each."""
        return self._channels(view_id, "reflection_path")

    def second_reflection(self, view_id: str) -> dict[str, NDArray[np.float32]]:
        """The same channels of the ray that is mirrored once more (`pipeline.bundle.SECOND_BOUNCE_FILE`).

        Raises InputError unless the spec asked for two bounces; so does `rough_reflection` without rough rays.
        """
        return self._channels(view_id, "reflection2_path")

    def rough_reflection(self, view_id: str) -> dict[str, NDArray[np.float32]]:
        """What metal shows with its real roughness (`pipeline.bundle.ROUGH_CHANNELS`), (h, w) float32 each."""
        return self._channels(view_id, "rough_reflection_path")

    def reflected_sources(self, view_id: str) -> ReflectedSources:
        """What every pixel mirrors, and where it lies: object, kind, CAD face, distance, direction and point of the
        mirrored ray, (h, w) or (h, w, 3), world frame (`pipeline.reflected_sources.ReflectedSources`).

        Raises InputError when this build does not keep the exact layers, DamageFound when they cannot be read.
        """
        return read_reflections.reflected_sources(self, view_id)

    def decomposition(self, view_id: str) -> dict[str, NDArray[np.float32]]:
        """Radiance of a view taken apart: `highlight.<group>`, `inter_reflection.<group>`, `surroundings.<group>`,
        `diffuse.<group>`, `transmission.<group>`, `emission.<group>`, (h, w, 3) float32, untouched and linear; layers
        that are black all over are left out. They add up to the layer "noisy" (docs/truth.md).

        Raises InputError when this build does not keep it, DamageFound when it cannot be read.
        """
        return read_reflections.decomposition(self, view_id)

    def edge_labels(self, view_id: str) -> NDArray[np.uint16]:
        """(h, w) uint16: 0 = no edge of the picture; 1 geometry, 2 surface, 3 reflection, 4 illumination made it.

        Raises InputError when this build does not have or keep it, DamageFound when it cannot be read; so do
        `false_edges` and `depth_failure`.
        """
        return read_edges.edge_labels(self, view_id)

    def false_edges(self, view_id: str) -> dict[str, NDArray[np.float32]]:
        """Edges of the picture, (h, w) float32 each, 0 elsewhere: `false`, the contrast that a reflection brings, and
        `contrast` of all causes, stops; `geometry`, `surface`, `reflection`, `illumination`: shares, in all 1."""
        return read_edges.false_edges(self, view_id)

    def depth_failure(self, view_id: str) -> dict[str, NDArray[np.float32]]:
        """Priors 0..1, (h, w) float32, that a structured-light sensor fails: `<projector>.failure`, and its causes
        `.shadow`, `.saturation`, `.dark`, `.grazing`, `.second_path` (docs/truth.md)."""
        return read_edges.depth_failure(self, view_id)

    def instance_ids(self, view_id: str) -> NDArray[np.uint16]:
        """(h, w) uint16 instance_id, 0 = no part."""
        return self._ids(view_id, "instance_path")

    def object_ids(self, view_id: str) -> NDArray[np.uint16]:
        """(h, w) uint16 object index of everything, 0 = nothing."""
        return self._ids(view_id, "object_path")

    def face_ids(self, view_id: str) -> NDArray[np.uint16]:
        """(h, w) uint16 CAD face_id + 1, 0 = no part."""
        return self._ids(view_id, "face_path")

    def geometry(self, photo_id: str) -> PhotoGeometry:
        """Where a photo shows what its view shows: labels of the view are in pinhole pixels, the photo's lens distorts.

        `photo_points` of the result carries points of the view into the photo, `view_points` brings them back.
        """
        photo = self.photo(photo_id)
        return geometry_of_rows(self.view(photo["view_id"]), photo)

    def truth(self, photo_id: str, layer: str) -> NDArray[Any]:
        """A truth layer of the photo's view in the photo's own pixels, (h, w) or (h, w, 3): values of single
        pixels of the render, never a mixture. All layers of a photo take theirs from the same pixels, which the object
        layer decides, and within an object the face layer (`PhotoGeometry.shown`).

        *layer*: "depth", "normal", "position", "instance", "object", "face", "material", or a channel of the mirror
        probe such as "reflection.object" (`pipeline.bundle.REFLECTION_CHANNELS`), of the second bounce
        ("reflection2.object") or of the rough probe ("rough_reflection.share", ROUGH_CHANNELS); "edges",
        "false_edge.<channel>" and "depth_failure.<projector>.<cause>" as in the methods of those names (edges, being
        lines, are carried by themselves). Dtypes as in the view's layers; normals stay in the camera frame. Raises
        InputError for an unknown layer, DamageFound for a damaged file.
        """
        photo = self.photo(photo_id)
        view_id, geometry = photo["view_id"], self.geometry(photo_id)
        values = self._layer(view_id, layer)
        if geometry.is_pinhole:
            return values
        if read_edges.is_edge_layer(layer):
            return geometry.warp(values, self.edge_labels(view_id))
        return geometry.warp(values, self._ids(view_id, "object_path"), self._ids(view_id, "face_path"))

    def _layer(self, view_id: str, layer: str) -> NDArray[Any]:
        """A truth layer of a view by the name that `truth` knows it by."""
        if layer in _ID_LAYERS:
            return self._ids(view_id, f"{layer}_path")
        if layer in _VALUE_LAYERS:
            values: NDArray[Any] = getattr(self, layer)(view_id)
            return values
        if layer in _PROBE_LAYERS:
            probe, channel = layer.split(".", 1)
            return self._channels(view_id, f"{probe}_path")[channel]
        made = read_edges.photo_layer(self, view_id, layer)
        if made is not None:
            return made
        known = ", ".join(
            (
                "edges",
                "false_edge.false",
                "depth_failure.<projector>.failure",
                *_VALUE_LAYERS,
                *_ID_LAYERS,
                *_PROBE_LAYERS,
            )
        )
        raise InputError(f"expected a truth layer ({known}), found {layer!r}")

    def photo_mask(self, photo_id: str, mask_rle: str) -> NDArray[np.bool_]:
        """(h, w) bool: a mask column of the photo's view (instances, reflections, defects) as the photo shows it.

        Masks of highlights are in the photo's pixels already: use `mask` for them.
        """
        return np.asarray(self.geometry(photo_id).warp(masks.decode(mask_rle)), dtype=np.bool_)

    def has_file(self, row: Row, column: str) -> bool:
        """Whether the file that *column* of *row* may name was kept; a file that was lost counts as kept."""
        path: str | None = row.get(column)  # builds of an older schema lack newer columns
        return path is not None and ((self.root / path).exists() or not was_dropped(self.root, path))

    def rows(self, table: str, column: str, value: str) -> list[Row]:
        """All rows of *table* whose text *column* is *value*; maps are dicts. The first call builds an index."""
        places = self._index(table, column).get(value, [])
        return [_plain(table, self.table(table).slice(place, 1).to_pylist()[0]) for place in places]

    def _index(self, table: str, column: str) -> dict[str, list[int]]:
        if (table, column) not in self._places:
            places: dict[str, list[int]] = {}
            for place, value in enumerate(self.table(table).column(column).to_pylist()):
                places.setdefault(value, []).append(place)
            self._places[table, column] = places
        return self._places[table, column]

    def _one(self, table: str, column: str, value: str) -> Row:
        rows = self.rows(table, column, value)
        if not rows:
            example = next(iter(self._index(table, column)), None)
            hint = f", ids look like {example!r}" if example else ""
            raise InputError(
                f"expected the {column} of one of {self.table(table).num_rows} {table}{hint}; found {value!r}"
            )
        return rows[0]

    def _channels(self, view_id: str, column: str) -> dict[str, NDArray[np.float32]]:
        from pipeline.bundle import read_exr

        try:
            return read_exr(self._file(view_id, column))
        except OSError as error:
            raise DamageFound(str(error)) from error

    def _ids(self, view_id: str, column: str) -> NDArray[np.uint16]:
        from pipeline.bundle import read_ids

        try:
            return read_ids(self._file(view_id, column))
        except OSError as error:
            raise DamageFound(str(error)) from error

    def _file(self, view_id: str, column: str) -> Path:
        view = self.view(view_id)
        if not self.has_file(view, column):
            raise InputError(not_kept(f"a file in column {column} of view {view_id}", view["scene_id"]))
        return self.root / str(view[column])


def _plain(table: str, row: Row) -> Row:
    """*row* with its maps, which Arrow gives as lists of pairs, turned into dicts."""
    for column in TABLES[table].columns:
        if column.kind in {NUMBER_BY_NAME, TEXT_BY_NAME} and row.get(column.name) is not None:
            row[column.name] = dict(row[column.name])
    return row
