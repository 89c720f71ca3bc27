"""Rendered backgrounds: their mean reflectance, the period of their patterns, and that they repeat."""

from __future__ import annotations

import numpy as np
import pytest
from support import render_scenes as rs

from pipeline import bundle
from pipeline.arrange.arrangement import PlacedCamera, SupportMesh
from pipeline.bundle import FIRST_SUPPORT, BundleView, SceneBundle
from pipeline.layers import read_layer
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import RenderSpec
from pipeline.surface.material import MetalMaterial
from pipeline.surface.metals import conductor_reflectance
from pipeline.surface.supports import support_material
from pipeline.tables import names

pytestmark = pytest.mark.bpy

HEIGHT_M = 20.0
"""The camera looks straight down from so high that every ray is nearly vertical."""
LOOKS = names("supports")


def seen_from_above(folder, looks, *, side_m, pixels, samples, threads=2, seed=5):
    """{look: (pixels, pixels, 3) radiance} of squares of *side_m* metres of each look in a white world."""
    job, out = folder / "job", folder / "out"
    job.mkdir(parents=True)
    out.mkdir()
    assembler = _Assembler(job)
    for number, look in enumerate(looks):
        vertices, triangles = rs.quad([number * side_m, 0, 0], [side_m / 2, 0, 0], [0, side_m / 2, 0])
        normals = np.tile(np.float32([0, 0, 1]), (4, 1))
        assembler.add_support(
            number, SupportMesh("table", look, vertices, normals, triangles), support_material(look, seed), None
        )
    width = pixels * len(looks)
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[:3, 3] = -pose[:3, :3] @ [side_m * (len(looks) - 1) / 2, 0.0, HEIGHT_M]
    focal = pixels / side_m * HEIGHT_M
    flat = tuple(float(v) for v in pose.ravel())
    camera = PlacedCamera(0, flat, focal, focal, width / 2, pixels / 2, width, pixels)
    view = BundleView("plain-v0", 0, camera, "any", 0, ("world",))
    job_record = RenderJob(
        scene_id="plain",
        render=RenderSpec(samples, False, 5),
        threads=threads,
        groups=("world",),
        world=ImageWorld(None, 1.0, 0.0, "world"),
        materials=tuple(assembler.materials),
        objects=tuple(assembler.objects),
        bundle=SceneBundle("plain", "", samples, ("world",), tuple(assembler.entries), (), (), (), (view,)),
    )
    write_json(job / JOB_FILE, to_dict(job_record))
    render_in_child(job, out, threads=threads, timeout_s=300)
    files = bundle.view_folder(out, 0)
    radiance = read_layer(files, "noisy")
    objects = bundle.read_ids(files / "object.png")
    tiles = {}
    for number, look in enumerate(looks):
        columns = slice(number * pixels, (number + 1) * pixels)
        assert (objects[2:-2, columns][:, 2:-2] == FIRST_SUPPORT + number).all()
        tiles[look] = radiance[:, columns]
    return tiles


def coat_reflectance(ior, alpha):
    """Share of vertical light that a rough dielectric surface mirrors: Fresnel and Smith's shadowing over GGX slopes.

    GGX at normal incidence has tan^2(theta) = alpha^2 u / (1 - u) for even u (Walter et al. 2007, equation 35).
    """
    u = (np.arange(4000) + 0.5) / 4000
    theta = np.arctan(alpha * np.sqrt(u / (1 - u)))
    cosine, leaving = np.cos(theta), np.cos(2 * theta)
    g = np.sqrt(ior**2 - 1 + cosine**2)
    fresnel = 0.5 * ((g - cosine) / (g + cosine)) ** 2
    fresnel *= 1 + ((cosine * (g + cosine) - 1) / (cosine * (g - cosine) + 1)) ** 2
    shadowing = 2 / (1 + np.sqrt(1 + (alpha * np.tan(2 * theta)) ** 2))
    return float(np.mean(np.where(leaving > 0, fresnel * shadowing, 0.0)))


@pytest.fixture(scope="module")
def furnace(tmp_path_factory):
    return seen_from_above(tmp_path_factory.mktemp("furnace"), LOOKS, side_m=0.8, pixels=56, samples=16)


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_reflects_on_average_what_its_table_says(furnace, look):
    seen, material = furnace[look][2:-2, 2:-2], support_material(look)
    assert np.isfinite(seen).all()
    if isinstance(material, MetalMaterial):
        expected = conductor_reflectance(material.ior, material.extinction, 1.0)
        assert np.abs(seen.mean(axis=(0, 1)) - expected).max() < 0.02
        return
    coat = coat_reflectance(material.ior, material.roughness**2)
    expected = coat + (1 - coat) * np.array(material.base_color)
    assert seen.mean(axis=(0, 1)) == pytest.approx(expected, rel=0.1)


def strongest_period_m(image, pixel_m, shortest_m, longest_m):
    """Period along the rows of an (h, w) image: the strongest line, between two lengths, of their summed spectra."""
    width = image.shape[1]
    windowed = (image - image.mean(axis=1, keepdims=True)) * np.hanning(width)
    power = np.sum(np.abs(np.fft.rfft(windowed, 16 * width)) ** 2, axis=0)
    frequency = np.fft.rfftfreq(16 * width, pixel_m)
    inside = (frequency > 1 / longest_m) & (frequency < 1 / shortest_m)
    return 1 / frequency[inside][np.argmax(power[inside])]


@pytest.mark.parametrize(
    ("look", "axis", "period_m"),
    [
        ("green_mat", 0, 0.010),
        ("green_mat", 1, 0.010),
        ("cardboard", 1, 0.0065),
        ("diamond_rubber_belt", 0, 0.008),
        ("perforated_plate", 0, 0.008),
        ("perforated_plate", 1, 0.008 * 3**0.5),
    ],
)
def test_patterns_have_the_period_of_the_table(tmp_path, look, axis, period_m):
    side, pixels = 0.12, 240
    seen = seen_from_above(tmp_path, [look], side_m=side, pixels=pixels, samples=4)[look].mean(axis=2)
    found = strongest_period_m(seen if axis == 0 else seen.T, side / pixels, 0.7 * period_m, 1.4 * period_m)
    assert found == pytest.approx(period_m, rel=0.03)


def test_backgrounds_render_the_same_bits_on_any_number_of_threads(tmp_path):
    looks = ["wood", "black_foam", "painted_floor", "black_granite_plate", "brushed_steel_table"]
    one, two = (
        seen_from_above(tmp_path / str(threads), looks, side_m=0.2, pixels=48, samples=4, threads=threads)
        for threads in (1, 2)
    )
    for look in looks:
        assert np.array_equal(one[look], two[look]), look


def test_another_seed_shows_another_place_of_the_pattern(tmp_path):
    one, other = (
        seen_from_above(tmp_path / str(seed), ["wood"], side_m=0.2, pixels=48, samples=4, seed=seed)["wood"]
        for seed in (1, 2)
    )
    assert np.abs(one - other).mean() > 0.01
