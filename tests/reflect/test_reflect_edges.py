"""Edges and their causes on pictures whose answer is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr
from support import synthetic_bundle as made

from pipeline.reflect.edge_pixels import DARK_STOPS, find_edges
from pipeline.reflect.edges import CAUSES, EdgeEvidence, explain

H, W = 40, 60
GREY = np.full((H, W, 3), 0.5, np.float32)


def ramp(blur_px, stops, angle=0.0):
    """(h, w, 3) whose logarithm is a step of *stops* about the middle, blurred."""
    y, x = np.mgrid[:H, :W] + 0.5
    across = (x - W / 2) * np.cos(angle) + (y - H / 2) * np.sin(angle)
    step = (across > 0).astype(float) if blur_px == 0 else ndtr(across / blur_px)
    return np.repeat(2.0 ** (stops * step)[..., None], 3, axis=2).astype(np.float32)


@pytest.mark.parametrize("stops", [0.5, 2.0])
def test_contrast_of_a_sharp_step_is_told_in_stops(stops):
    found = find_edges(ramp(0.0, stops))
    assert len(found.rows) == H
    assert set(found.columns) <= {W // 2 - 1, W // 2}
    # A pixel's centre is half a pixel off the step, and what counts as black takes a little of it.
    assert found.stops == pytest.approx(stops, rel=0.2)
    assert np.abs(found.normal[:, 0]) == pytest.approx(1.0)


def test_edge_directions_and_widths():
    found = find_edges(ramp(3.0, 2.0, angle=0.5))
    inside = (found.rows > 8) & (found.rows < H - 8)
    assert inside.sum() > 15
    assert np.abs(found.normal[inside] @ [np.cos(0.5), np.sin(0.5)]) == pytest.approx(1.0, abs=0.02)
    assert np.median(found.width_px[inside]) == pytest.approx(3.0, rel=0.25)
    assert np.median(find_edges(ramp(0.0, 2.0)).width_px) < 0.6


def test_what_is_no_edge():
    assert find_edges(np.zeros((H, W, 3), np.float32)).rows.size == 0
    assert find_edges(GREY).rows.size == 0
    assert find_edges(ramp(0.0, 0.1)).rows.size == 0
    night = ramp(0.0, 2.0) * np.float32(2.0 ** -(DARK_STOPS + 5))
    night[: H // 2] = 1.0
    assert not (find_edges(night).rows > H // 2 + 3).any()


def test_single_samples_make_no_edges():
    noise = np.random.default_rng(1).lognormal(0.0, 0.3, (H, W, 3)).astype(np.float32)
    assert find_edges(noise).rows.size > 100
    assert find_edges(noise, noisy=True).rows.size < 10
    assert find_edges(noise * ramp(0.0, 4.0), noisy=True).rows.size > H // 2


def test_colours_of_one_luminance_have_an_edge():
    picture = GREY.copy()
    picture[:, W // 2 :] = [0.25, 0.5743, 0.5]
    assert find_edges(picture).rows.size >= H - 4


def evidence(diffuse, mirrored, diffuse_color, glossy_color, **changes):
    """Evidence of a plane at 1 m that faces the camera; layers (h, w) of grey light and colours."""
    rgb = [np.repeat(np.float32(values)[..., None], 3, axis=2) for values in (diffuse_color, glossy_color)]
    radiance = np.repeat(np.float32(diffuse + mirrored)[..., None], 3, axis=2)
    normal = np.zeros((H, W, 3), np.float32)
    normal[..., 2] = -1.0
    ones = np.ones((H, W), np.uint16)
    layers = {
        "camera": made.camera(W, H, 200.0),
        "radiance": radiance,
        "parts": np.stack([diffuse, mirrored, np.zeros((H, W))], axis=-1).astype(np.float32),
        "diffuse_color": rgb[0],
        "glossy_color": rgb[1],
        "objects": ones,
        "surface": ones.astype(np.int32),
        "alpha": np.full((H, W), 0.001, np.float32),
        "normal": normal,
        "depth": np.ones((H, W), np.float32),
        "mirrored_m": np.zeros((H, W), np.float32),
        "defects": np.zeros((H, W), bool),
    }
    return EdgeEvidence(**(layers | changes))


def cause(given, noise=None):
    """The mean shares of the edge in the middle, by name."""
    found = find_edges(given.radiance)
    assert found.rows.size >= H - 6
    return dict(zip(CAUSES, explain(found, given).mean(axis=0), strict=True))


FLAT = np.full((H, W), 0.5)
STEP = np.where(np.arange(W) < W // 2, 0.2, 0.8) * np.ones((H, 1))
NONE = np.zeros((H, W))


def test_colour_shade_and_mirrored_light_are_told_apart():
    assert cause(evidence(STEP * 0.7, NONE, STEP, NONE))["surface"] > 0.99
    assert cause(evidence(STEP * 0.7, NONE, FLAT, NONE))["illumination"] > 0.99
    assert cause(evidence(NONE, STEP, NONE, FLAT))["reflection"] > 0.99
    assert cause(evidence(NONE, STEP * 0.7, NONE, STEP))["surface"] > 0.99
    assert cause(evidence(FLAT, STEP, FLAT, FLAT))["reflection"] > 0.9  # shares are blurred


def test_causes_share_an_edge_as_they_make_the_step():
    """Half of the step is the shadow's, half the mirror image's."""
    shares = cause(evidence(0.5 * STEP, 0.5 * STEP, FLAT, FLAT))
    assert shares["illumination"] == pytest.approx(0.5, abs=0.02)
    assert shares["reflection"] == pytest.approx(0.5, abs=0.02)


def test_an_edge_too_sharp_for_the_lobe_is_the_surface():
    rough = np.full((H, W), 0.3, np.float32)
    assert cause(evidence(NONE, STEP, NONE, FLAT, alpha=rough))["surface"] > 0.9
    # Unless what it shows is so near that even a rough surface shows it sharply.
    near = np.full((H, W), 0.001, np.float32)
    assert cause(evidence(NONE, STEP, NONE, FLAT, alpha=rough, mirrored_m=near))["reflection"] > 0.9


def test_borders_of_things_come_first():
    halves = (1 + (np.arange(W) >= W // 2) * np.ones((H, 1))).astype(np.uint16)
    mirrored = {"diffuse": NONE, "mirrored": STEP, "diffuse_color": NONE, "glossy_color": FLAT}
    assert cause(evidence(**mirrored, objects=halves))["geometry"] == 1.0
    assert cause(evidence(**mirrored, surface=halves.astype(np.int32)))["surface"] == 1.0
    step = np.where(halves == 1, 1.0, 1.05).astype(np.float32)
    assert cause(evidence(**mirrored, depth=step))["geometry"] == 1.0
    tilted = np.where((halves == 1)[..., None], [0.0, 0.0, -1.0], [0.5, 0.0, -0.866]).astype(np.float32)
    assert cause(evidence(**mirrored, normal=tilted))["geometry"] == 1.0
    stain = np.zeros((H, W), bool)
    stain[:, W // 2 :] = True
    assert cause(evidence(**mirrored, defects=stain))["surface"] == 1.0


def test_a_slanted_plane_and_a_ball_have_no_creases():
    """Depth and normals that change smoothly are no geometry edges, however fast they change."""
    x = (np.arange(W) + 0.5 - W / 2) / 200.0 * np.ones((H, 1))
    plane = (1.0 / (1.0 - 2.0 * x)).astype(np.float32)
    mirrored = {"diffuse": NONE, "mirrored": STEP, "diffuse_color": NONE, "glossy_color": FLAT}
    assert cause(evidence(**mirrored, depth=plane))["geometry"] == 0.0
    turn = (np.arange(W) - W / 2) / 40.0
    round_ = np.stack([np.sin(turn), 0 * turn, -np.cos(turn)], axis=-1) * np.ones((H, 1, 1))
    assert cause(evidence(**mirrored, normal=round_.astype(np.float32)))["geometry"] == 0.0


def test_a_picture_without_edges_needs_no_explanation():
    given = evidence(FLAT, NONE, FLAT, NONE)
    assert explain(find_edges(given.radiance), given).shape == (0, len(CAUSES))
