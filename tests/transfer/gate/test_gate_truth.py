"""Labels of a photo in its own pixels: from rows, from a bundle, through a lens that distorts."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import masks
from pipeline.bundle import write_exr, write_ids
from pipeline.photo_geometry import geometry_of_rows
from pipeline.transfer.gate.truth import Region, ViewLayers, gate_truth, layers_of_bundle, truth_of_photo

WIDTH, HEIGHT = 160, 120
VIEW = {"width": WIDTH, "height": HEIGHT, "fx": 150.0, "fy": 150.0, "cx": 80.0, "cy": 60.0}
LENS = {"fx": 160.0, "fy": 160.0, "cx": 80.5, "cy": 59.5, "distortion": [-0.3, 0.1, 0.001, -0.001, 0.0]}


def view_layers() -> ViewLayers:
    instance = np.zeros((HEIGHT, WIDTH), dtype=np.uint16)
    instance[10:50, 8:60] = 4
    instance[60:110, 90:150] = 7
    depth = np.linspace(0.4, 0.6, WIDTH, dtype=np.float32)[None].repeat(HEIGHT, axis=0)
    return ViewLayers(instance, instance + 1, instance * 2, depth)


def scratch() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[20:40, 12:15] = True
    return mask


class Source:
    """One photo, as a dataset tells of it."""

    def __init__(self, lens):
        self.layers, self.row = view_layers(), {"view_id": "v", **lens}
        rng = np.random.default_rng(0)
        self.pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)

    def photo(self, photo_id):
        return self.row

    def view(self, view_id):
        return VIEW

    def image(self, photo_id):
        return self.pixels

    def instance_ids(self, view_id):
        return self.layers.instance

    def object_ids(self, view_id):
        return self.layers.object

    def face_ids(self, view_id):
        return self.layers.face

    def depth(self, view_id):
        return self.layers.depth

    def instances(self, view_id):
        return [{"instance_id": 4, "part_id": "bolt"}, {"instance_id": 7, "part_id": "nut"}]

    def defects(self, view_id):
        seen = {"instance_id": 4, "defect_id": 1, "kind": "scratch", "visible": True}
        return [
            {**seen, "mask_rle": masks.encode(scratch())},
            {**seen, "defect_id": 2, "visible": False, "mask_rle": masks.encode(scratch() & False)},
        ]

    def highlights(self, photo_id):
        spot = np.zeros((HEIGHT, WIDTH), dtype=bool)
        spot[80:84, 100:110] = True
        return [{"highlight_id": 3, "light_id": "key", "instance_id": 7, "mask_rle": masks.encode(spot)}]


@pytest.mark.parametrize("lens", [{"fx": None}, LENS], ids=["pinhole", "distorted"])
def test_layers_and_defects_are_carried_into_the_photo_and_highlights_are_not(lens):
    source = Source(lens)
    geometry = geometry_of_rows(VIEW, source.row)
    truth = truth_of_photo(source, "p")
    for name in ("instance", "face", "depth"):
        expected = geometry.warp(getattr(source.layers, name), source.layers.object, source.layers.face)
        assert np.array_equal(getattr(truth, name), expected)
    assert [part.name for part in truth.parts] == ["part 4 (bolt)", "part 7 (nut)"]
    whole = (slice(0, HEIGHT), slice(0, WIDTH))
    for part in truth.parts:
        assert np.array_equal(part.within(whole), truth.instance == part.instance_id)
    (defect,) = truth.defects
    assert defect.name == "defect 4/1 (scratch)"
    assert np.array_equal(defect.within(whole), geometry.warp(scratch()))
    (highlight,) = truth.highlights
    assert (highlight.top, highlight.left, highlight.area) == (80, 100, 40)
    assert np.array_equal(truth.clipped, (source.pixels >= 250).any(axis=2))
    assert np.array_equal(truth.background, truth.instance == 0)


def test_the_lens_matters():
    plain, bent = (truth_of_photo(Source(lens), "p") for lens in ({"fx": None}, LENS))
    assert (plain.instance != bent.instance).mean() > 0.01


def test_a_bundle_gives_the_same_layers(tmp_path):
    layers = view_layers()
    for name in ("instance", "object", "face"):
        write_ids(tmp_path / f"{name}.png", getattr(layers, name))
    write_exr(tmp_path / "depth.exr", {"Z": layers.depth})
    found = layers_of_bundle(tmp_path)
    for name in ("instance", "object", "face", "depth"):
        assert np.array_equal(getattr(found, name), getattr(layers, name))


def test_a_photo_of_another_size_is_refused():
    source = Source({"fx": None})
    with pytest.raises(ValueError, match="expected a photo of shape"):
        gate_truth(geometry_of_rows(VIEW, source.row), source.layers, source.pixels[:-1], [], [], [])


def test_a_window_keeps_to_the_photo_and_holds_the_mask():
    region = Region("r", 1, 2, 115, np.ones((5, 4), dtype=bool))
    window = region.window(6, (HEIGHT, WIDTH))
    assert window == (slice(109, 120), slice(0, 12))
    assert region.within(window).sum() == region.area == 20
