"""The reader: what goes in comes out, and nothing heavy is imported on the way."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.bundle import PATH_TERMS
from pipeline.dataset import open_dataset
from pipeline.dataset.build import write_build
from pipeline.errors import DamageFound, InputError
from pipeline.layers import COLORS

CHECKOUT = Path(__file__).parents[2]
PHOTO, VIEW = "tiny-000001-v0-p1", "tiny-000001-v0"


def test_reading_imports_neither_blender_nor_dask_nor_torch(dataset_root: Path) -> None:
    script = f"""
import sys
from pipeline.dataset import open_dataset
assert "pyarrow" not in sys.modules
dataset = open_dataset({str(dataset_root)!r})
photo = dataset.photo({PHOTO!r})
assert not {{"cv2", "OpenImageIO"}} & set(sys.modules), "image libraries before the first image"
dataset.image({PHOTO!r}); dataset.layers(photo["view_id"]); dataset.instances(photo["view_id"])
heavy = {{"bpy", "dask", "distributed", "torch", "trimesh", "pandas", "scipy", "pycocotools"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, check=True)


def test_photos_of_a_split_in_order(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    assert dataset.photo_ids("val") == ["tiny-000003-v0-p0", "tiny-000003-v0-p1"]
    assert dataset.photo_ids("test") == []
    assert dataset.photo_ids() == [row["photo_id"] for row in dataset.iter_photos()]
    assert {row["split"] for row in dataset.iter_photos("train")} == {"train"}
    assert (dataset.scenes.num_rows, dataset.views.num_rows, dataset.photos.num_rows) == (4, 4, 8)


def test_image_is_rgb_and_the_file_that_the_row_names(dataset_root: Path) -> None:
    dataset = open_dataset(str(dataset_root))
    stored = cv2.imread(str(dataset_root / dataset.photo(PHOTO)["image_path"]))
    assert stored is not None
    image = dataset.image(PHOTO)
    assert image.dtype == np.uint8
    assert np.array_equal(image[..., 0], stored[..., 2])
    assert np.array_equal(image[..., 2], stored[..., 0])


def test_maps_are_dicts(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    assert dataset.photo(PHOTO)["light_weights"] == {"rig": 1.0, "world": 0.5}
    assert dataset.instances(VIEW)[0]["finishes"] == {"0": "ground", "10": "cast", "2": "turned"}


def test_rows_of_a_view_and_a_photo_are_its_own(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    assert [row["instance_id"] for row in dataset.instances(VIEW)] == [1, 2]
    assert {
        row["view_id"] for row in dataset.instances(VIEW) + dataset.reflections(VIEW) + dataset.mirror_images(VIEW)
    } == {VIEW}
    assert [row["photo_id"] for row in dataset.highlights(PHOTO)] == [PHOTO]
    assert [row["photo_id"] for row in dataset.photos_of(VIEW)] == ["tiny-000001-v0-p0", PHOTO]
    assert [row["view_id"] for row in dataset.views_of("tiny-000001")] == [VIEW]
    assert dataset.scene("tiny-000001")["seed"] == 1001


def test_layers_have_the_shapes_and_types_they_promise(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    layers = dataset.layers(VIEW)
    assert set(layers) == {"combined", "noisy", "group.rig", "group.world", *PATH_TERMS, *COLORS}
    assert {(layer.shape, layer.dtype.name) for layer in layers.values()} == {((24, 32, 3), "float32")}
    assert np.allclose(layers["group.rig"] + layers["group.world"], layers["noisy"], rtol=1e-6)
    assert (dataset.depth(VIEW) == 1.0).all()
    assert (dataset.normal(VIEW) == (0.0, 0.0, -1.0)).all()
    assert dataset.position(VIEW).shape == (24, 32, 3)
    assert dataset.reflection(VIEW)["object"].shape == (24, 32)
    assert dataset.face_ids(VIEW).dtype == np.uint16


def test_masks_cover_the_pixels_of_the_instance_layer(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    ids = dataset.instance_ids(VIEW)
    for row in dataset.instances(VIEW):
        assert np.array_equal(dataset.mask(row["mask_rle"]), ids == row["instance_id"])


def _with_lens(root: Path, scene_maker, info, distortion) -> None:
    """A second build, whose photos have a camera of their own."""
    write_build(root, [scene_maker(root, index) for index in range(4)], info)
    folder = sorted((root / "builds").iterdir())[-1]
    table = pq.read_table(folder / "photos.parquet")
    camera = dict(zip(("fx", "fy", "cx", "cy"), (45.0, 45.0, 16.0, 12.0), strict=True))
    for name, value in {**camera, "distortion": distortion}.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(
            place, table.schema.field(place), pa.array([value] * table.num_rows, table.schema.field(place).type)
        )
    pq.write_table(table, folder / "photos.parquet")


def test_truth_of_a_photo_is_that_of_its_view_where_the_lens_is_a_pinhole(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    assert dataset.geometry(PHOTO).is_pinhole
    np.testing.assert_array_equal(dataset.truth(PHOTO, "instance"), dataset.instance_ids(VIEW))
    np.testing.assert_array_equal(dataset.truth(PHOTO, "normal"), dataset.normal(VIEW))
    np.testing.assert_array_equal(dataset.truth(PHOTO, "reflection.distance"), dataset.reflection(VIEW)["distance"])
    for row in dataset.instances(VIEW):
        np.testing.assert_array_equal(dataset.photo_mask(PHOTO, row["mask_rle"]), dataset.mask(row["mask_rle"]))
    with pytest.raises(InputError, match=r"depth, normal, position.*found 'colour'"):
        dataset.truth(PHOTO, "colour")


def test_truth_of_a_photo_moves_with_its_lens(dataset_root: Path, scene_maker, info) -> None:
    _with_lens(dataset_root, scene_maker, info, [-0.3, 0.0, 0.0, 0.0, 0.0])
    dataset = open_dataset(dataset_root)
    geometry = dataset.geometry(PHOTO)
    assert geometry.distortion[0] == -0.3
    ids, moved = dataset.instance_ids(VIEW), dataset.truth(PHOTO, "instance")
    assert (moved != ids).any()
    for row in dataset.instances(VIEW):
        mask = dataset.photo_mask(PHOTO, row["mask_rle"])
        assert (mask != (moved == row["instance_id"])).mean() < 0.01
        y, x = np.nonzero(mask)
        back = np.floor(geometry.view_points(np.stack([x, y], axis=-1) + 0.5)).astype(int)
        inside = ids[np.clip(back[:, 1], 0, 23), np.clip(back[:, 0], 0, 31)] == row["instance_id"]
        assert inside.mean() > 0.8  # the rest looks at pixels that the border cuts
    assert dataset.truth(PHOTO, "position").shape == (24, 32, 3)
    assert dataset.truth(PHOTO, "depth").dtype == np.float32


def test_an_older_build_and_an_unpublished_folder_can_be_opened(dataset_root: Path) -> None:
    assert open_dataset(dataset_root, "0001").photos.num_rows == 8
    assert open_dataset(dataset_root, dataset_root / "builds" / "0001").photos.num_rows == 8


def test_a_copy_for_another_process_reads_the_same(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    dataset.photo(PHOTO)
    text = pickle.dumps(dataset)
    assert len(text) < 1000, "tables travel with the copy"
    assert pickle.loads(text).photo(PHOTO) == dataset.photo(PHOTO)


def test_unknown_names_say_what_there_is(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    with pytest.raises(InputError, match=r"photo_id of one of 8 photos, ids look like 'tiny-000000-v0-p0'; found 'x'"):
        dataset.photo("x")
    with pytest.raises(InputError, match="scenes, views, photos"):
        dataset.table("pictures")


def test_damaged_files_are_named(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    row = dataset.view(VIEW)
    for column in ("layers_path", "instance_path"):
        (dataset_root / row[column]).write_bytes(b"nothing")
    (dataset_root / dataset.photo(PHOTO)["image_path"]).write_bytes(b"")
    with pytest.raises(DamageFound, match=r"light\.exr"):
        dataset.layers(VIEW)
    with pytest.raises(DamageFound, match=r"instance\.png"):
        dataset.instance_ids(VIEW)
    with pytest.raises(DamageFound, match=r"p1\.png"):
        dataset.image(PHOTO)
    (dataset.folder / "scenes.parquet").write_bytes(b"PAR1")
    with pytest.raises(DamageFound, match=r"scenes\.parquet"):
        dataset.table("scenes")


def test_layers_of_a_photo_through_glass(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    row = dataset.glass("tiny-000000-v0-p0")
    assert row is not None
    assert row["well_mixed"] is True
    mixture, through, mirrored = (dataset.linear("tiny-000000-v0-p0", name) for name in "mtr")
    assert mixture.shape == (dataset.photo("tiny-000000-v0-p0")["height"], 32, 3)
    assert np.array_equal(mixture, through + mirrored)
    assert dataset.glass("tiny-000000-v0-p1") is None
    with pytest.raises(InputError, match="expected a photo through glass"):
        dataset.linear("tiny-000000-v0-p1", "t")


def test_clips_by_split_and_frames_by_clip(dataset_root) -> None:
    dataset = open_dataset(dataset_root)
    assert len(dataset.clip_ids()) == 4
    (clip_id,) = dataset.clip_ids("val")
    (frame,) = dataset.clip(clip_id)
    assert (frame.index, frame.time_s, frame.references) == (0, 0.0, {})
    assert frame.clipped()[5, :4, 0].all()
    assert frame.clipped().sum() == 4
    assert np.array_equal(frame.range_share() > 1.0, frame.clipped())
    with pytest.raises(InputError, match="clip_id"):
        list(dataset.clip("no-such-clip"))


def test_cast_light_and_who_throws_it(dataset_root: Path) -> None:
    dataset = open_dataset(dataset_root)
    (row,) = dataset.cast_light(VIEW)
    assert (row["instance_id"], row["light_id"], row["receiver_id"]) == (2, "ring", "table")
    groups, error = dataset.cast_light_layers(VIEW)
    mask = dataset.mask(row["mask_rle"])
    assert sorted(groups) == ["rig", "world"]
    assert (groups["rig"][mask] == 0.5).all()
    assert not groups["rig"][~mask].any()
    assert error[mask] == pytest.approx(0.05, rel=0.15)
    assert (dataset.thrower_ids(VIEW)[mask] == 2).all()


def test_a_view_without_cast_light_says_how_to_get_it(dataset_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = open_dataset(dataset_root)
    row = {**dataset.view(VIEW), "cast_light_path": None}
    monkeypatch.setattr(dataset, "view", lambda view_id: row)
    with pytest.raises(InputError, match="cast_light in \\[render\\]"):
        dataset.cast_light_layers(VIEW)
