"""Ten lamps over a bearing ball: each highlight names its lamp, and goes out with it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support import mirror_scenes as ms
from support.shots import Shot

from pipeline import masks
from pipeline.arrange.arrangement import matrix
from pipeline.bundle import load_bundle
from pipeline.layers import read_layers
from pipeline.reflect.highlights import highlight_rows
from pipeline.view_light import read_view_light

pytestmark = pytest.mark.bpy

SIZE, ZOOM = 160, 3.0
DISTANCE, HALF = 0.5, 0.08
DIRECTIONS_DEG = [(azimuth, 25.0) for azimuth in range(0, 360, 60)] + [
    (azimuth, 65.0) for azimuth in range(45, 360, 90)
]
SCENE = {"plate": None, "ball": ms.polished(1e-5), "samples": 32, "size": SIZE, "zoom": ZOOM, "world": 0.05}


def _lamps() -> dict[str, ms.Quad]:
    """Square lamps that face the ball."""
    lamps = {}
    for number, (azimuth, elevation) in enumerate(np.radians(DIRECTIONS_DEG)):
        out = np.array([np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)])
        u = np.cross([0.0, 0.0, 1.0], out)
        u /= np.linalg.norm(u)
        v = np.cross(out, u)
        lamps[f"lamp_{number}"] = (list(ms.BALL_CENTRE + DISTANCE * out), list(-HALF * u), list(HALF * v))
    return lamps


LAMPS = _lamps()


@pytest.fixture(scope="module")
def lit(tmp_path_factory):
    """Bundle of the ball under all lamps."""
    return ms.render(tmp_path_factory.mktemp("lamps") / "all", lamps=LAMPS, **SCENE)


def _rows(bundle, **gains):
    light = read_view_light(bundle, load_bundle(bundle).views[0])
    return highlight_rows(bundle, [Shot(light, saturation=30.0, gains=gains)])


def _expected_centroids() -> dict[str, np.ndarray]:
    """Mean pixel of the place on the ball from which the mirrored ray meets each lamp, by the law of reflection."""
    camera = ms.camera(SIZE, ZOOM)
    world_from_cam = np.linalg.inv(matrix(camera.cam_from_world))
    y, x = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    rays = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones_like(x)], axis=-1)
    rays = rays @ world_from_cam[:3, :3].T
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    offset = world_from_cam[:3, 3] - ms.BALL_CENTRE
    b = rays @ offset
    root = b**2 - (offset @ offset - ms.BALL_RADIUS**2)
    hit = root > 0
    points = world_from_cam[:3, 3] + rays * (-b - np.sqrt(np.where(hit, root, 0)))[..., None]
    normals = (points - ms.BALL_CENTRE) / ms.BALL_RADIUS
    mirrored = rays - 2 * np.sum(rays * normals, axis=-1, keepdims=True) * normals
    centroids = {}
    for name, (centre, u, v) in LAMPS.items():
        facing = np.cross(u, v)
        way = (np.array(centre) - points) @ facing / (mirrored @ facing)
        there = points + way[..., None] * mirrored - centre
        on_it = (np.abs(there @ np.array(u)) < HALF**2) & (np.abs(there @ np.array(v)) < HALF**2)
        shown = hit & (way > 0) & on_it
        centroids[name] = np.array([x[shown].mean(), y[shown].mean()])
    return centroids


def test_each_highlight_names_its_lamp(lit) -> None:
    rows = _rows(lit)
    assert sorted(row["light_id"] for row in rows) == sorted(LAMPS)
    expected = _expected_centroids()
    for row in rows:
        assert row["light_group"] == row["light_id"]
        assert np.hypot(*(np.array(row["centroid"]) - expected[row["light_id"]])) < 0.5


@pytest.mark.parametrize("name", ["lamp_0", "lamp_4", "lamp_8"])
def test_a_lamp_that_is_switched_off_takes_exactly_its_highlight_away(lit, tmp_path, name) -> None:
    others = [row for row in _rows(lit) if row["light_id"] != name]
    after = _rows(lit, **{name: 0.0})
    assert [row["light_id"] for row in after] == [row["light_id"] for row in others]
    for row, before in zip(after, others, strict=True):
        now, then = masks.decode(row["mask_rle"]), masks.decode(before["mask_rle"])
        assert (now & then).sum() / (now | then).sum() > 0.9
        assert row["energy"] == pytest.approx(before["energy"], rel=0.02)
    without = ms.render(tmp_path / "without", lamps={k: v for k, v in LAMPS.items() if k != name}, **SCENE)
    layers = read_layers(lit / "views" / "v0")
    mixed = layers["noisy"] - layers[f"group.{name}"]
    rendered = read_layers(without / "views" / "v0")["noisy"]
    for row in others:
        # Inside: at its rim, the share of a pixel's samples that meet the lamp is noise.
        inside = cv2.erode(masks.decode(row["mask_rle"]).astype(np.uint8), np.ones((3, 3))) > 0
        assert inside.any()
        assert mixed[inside].mean() == pytest.approx(rendered[inside].mean(), rel=1e-3)
    assert mixed.sum() == pytest.approx(rendered.sum(), rel=1e-3)
    assert layers[f"group.{name}"].sum() > 0.02 * layers["noisy"].sum()
