"""Rendered flat samples against physics computed apart from Blender: reflectance, energy, lobes, grooves, films."""

from __future__ import annotations

import numpy as np
import pytest
from support.metal_samples import Samples, above

from pipeline.surface.material import Film, MetalMaterial, Relief
from pipeline.surface.metals import F82_COSINE, conductor_reflectance, metal
from pipeline.surface.thin_film import film_reflectance
from pipeline.tables import names

pytestmark = pytest.mark.bpy

MIRROR = 1e-4
"""GGX alpha of a polished sample."""
THICKNESSES_NM = tuple(float(t) for t in range(0, 161, 20))
ROUGH_ALPHAS = (0.05, 0.15, 0.4, 0.7, 1.0)
PIXELS = 120
CELL = 0.1
"""Metres from sample to sample; the camera stands 20 m above them, and each is turned to it by its own angle."""
HEIGHT = 20.0


def plain(name: str, of: str, alpha: float = MIRROR, film: Film | None = None) -> MetalMaterial:
    row = metal(of)
    return MetalMaterial(name, of, row.ior, row.extinction, "polished", 0.01, alpha, alpha, "P", film=film)


@pytest.fixture(scope="module")
def furnace(tmp_path_factory):
    """Radiance of every sample in a world of radiance 1, by name: one render of a grid of tiles."""
    materials: dict[str, tuple[MetalMaterial, float]] = {}
    for of in names("metals"):
        materials[f"{of} 0"] = (plain(of, of), 1.0)
        materials[f"{of} 82"] = (plain(of, of), F82_COSINE)
    white = MetalMaterial("white", "silver", (0.05,) * 3, (30.0,) * 3, "polished", 0.01, MIRROR, MIRROR, "P")
    for alpha in ROUGH_ALPHAS:
        rough = MetalMaterial(f"white{alpha}", "silver", white.ior, white.extinction, "blasted", 1.0, alpha, alpha, "P")
        materials[f"rough {alpha}"] = (rough, 1.0)
    for of in ("steel_carbon", "titanium_hi"):
        for thickness in THICKNESSES_NM:
            film = Film("tint", "interference", 2.4, thickness_nm=thickness)
            materials[f"{of} {thickness}"] = (plain(f"{of}{thickness}", of, film=film), 1.0)
    samples = Samples(tmp_path_factory.mktemp("furnace") / "samples")
    side = int(np.ceil(np.sqrt(len(materials))))
    eye, places = np.array([0.0, 0.0, HEIGHT]), {}
    for i, (name, (material, cosine)) in enumerate(materials.items()):
        centre = CELL * np.array([i % side - (side - 1) / 2, i // side - (side - 1) / 2, 0.0])
        if name.startswith("rough"):  # towards the camera, out of the sight of all others
            centre = eye + (centre - eye) * (1.0 - 1.0 / HEIGHT)
        view = (eye - centre) / np.linalg.norm(eye - centre)
        u = np.cross([0.0, 1.0, 0.0], view)
        u /= np.linalg.norm(u)
        flat = np.cross(view, u)
        # Turned about u until its normal stands at the wanted angle to the view, and long enough to look square.
        v = (cosine * flat - np.sqrt(1 - cosine**2) * view) / cosine
        samples.plate(material, centre, 0.35 * CELL * u, 0.35 * CELL * v)
        places[name] = centre
    camera = above(HEIGHT, CELL * side, PIXELS)
    (radiance,) = samples.render([camera], 64, 1.0)
    found = {}
    for name, centre in places.items():
        column, row = PIXELS / 2 + camera.fx * np.array([1.0, -1.0]) * centre[:2] / (HEIGHT - centre[2])
        around = np.s_[int(row) - 2 : int(row) + 3, int(column) - 2 : int(column) + 3]
        found[name] = radiance[around].mean(axis=(0, 1))
    return found


@pytest.mark.parametrize("of", names("metals"))
def test_a_flat_sample_in_a_white_world_reflects_what_its_indices_say(furnace, of):
    row = metal(of)
    normal, edge = conductor_reflectance(row.ior, row.extinction, [1.0, F82_COSINE])
    assert np.abs(furnace[f"{of} 0"] - normal).max() < 0.01
    assert np.abs(furnace[f"{of} 82"] - edge).max() < 0.02


@pytest.mark.parametrize("alpha", ROUGH_ALPHAS)
def test_a_white_metal_loses_no_light_at_any_roughness(furnace, alpha):
    assert np.abs(furnace[f"rough {alpha}"] - 1.0).max() < 0.02


@pytest.mark.parametrize("of", ["steel_carbon", "titanium_hi"])
def test_temper_colours_follow_the_airy_sum(furnace, of):
    for thickness in THICKNESSES_NM:
        expected = film_reflectance(thickness, 2.4, metal(of).nk_650_550_450)
        assert np.abs(furnace[f"{of} {thickness}"] - expected).max() < 0.08, thickness


def test_a_film_of_forty_nanometres_is_not_the_bare_metal(furnace):
    assert np.abs(furnace["steel_carbon 40.0"] - furnace["steel_carbon 0.0"]).max() > 0.3


LAMP = np.array([0.0, 0.0, 0.4])
ASIDE = 0.12
LOBE_PIXELS = 64
WIDTH = 0.5
ALPHAS = (0.16, 0.06)


def brushed(across: float, along: float) -> MetalMaterial:
    row = metal("nickel")
    return MetalMaterial("brushed", "nickel", row.ior, row.extinction, "brushed", 0.4, across, along, "=")


def ggx_image(across: float, along: float, lay_deg: float, camera_height: float) -> np.ndarray:
    """What a small lamp at LAMP shows on the plane z = 0: D G2 / (4 cos_o) over the square of the distance."""
    at = (np.arange(LOBE_PIXELS) + 0.5 - LOBE_PIXELS / 2) * WIDTH / LOBE_PIXELS
    x, y = np.meshgrid(at + ASIDE, -at)
    points = np.stack([x, y, np.zeros_like(x)], axis=-1)
    to_lamp, to_eye = LAMP - points, np.array([ASIDE, 0.0, camera_height]) - points
    distance2 = (to_lamp**2).sum(axis=-1)
    light, eye = (w / np.linalg.norm(w, axis=-1, keepdims=True) for w in (to_lamp, to_eye))
    half = light + eye
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    turn = np.radians(lay_deg)
    lay, cross = np.array([-np.sin(turn), np.cos(turn), 0.0]), np.array([np.cos(turn), np.sin(turn), 0.0])
    slope2 = ((half @ cross) / across) ** 2 + ((half @ lay) / along) ** 2 + half[..., 2] ** 2
    density = 1.0 / (np.pi * across * along * slope2**2)

    def smith(w: np.ndarray) -> np.ndarray:
        tangent2 = (((w @ cross) * across) ** 2 + ((w @ lay) * along) ** 2) / w[..., 2] ** 2
        return (np.sqrt(1.0 + tangent2) - 1.0) / 2.0

    shadow = 1.0 / (1.0 + smith(light) + smith(eye))
    # The lamp faces down: its own cosine is that of the light's direction too.
    result: np.ndarray = density * shadow / (4.0 * eye[..., 2]) * light[..., 2] / distance2
    return result


def second_moments(image: np.ndarray) -> tuple[float, float]:
    """(ratio of the larger to the smaller second moment, angle of the larger axis in degrees, -90..90) of a highlight.

    Of what is brighter than a tenth of its peak: the far tails of GGX leave the picture.
    """
    weight = np.where(image > 0.1 * np.percentile(image, 99.8), image, 0.0)
    rows, columns = np.indices(image.shape)
    total = weight.sum()
    x, y = columns - (columns * weight).sum() / total, -(rows - (rows * weight).sum() / total)
    covariance = np.array([[(weight * x * x).sum(), (weight * x * y).sum()], [0.0, (weight * y * y).sum()]]) / total
    values, vectors = np.linalg.eigh(covariance, UPLO="U")
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    return float(values[1] / values[0]), float((angle + 90.0) % 180.0 - 90.0)


@pytest.fixture(scope="module")
def highlights(tmp_path_factory):
    """Highlights on a brushed plate whose lay runs along y, and turned by 30 degrees."""
    found = {}
    for lay_deg in (0.0, 30.0):
        samples = Samples(tmp_path_factory.mktemp("lobe") / "samples")
        half = np.array([[1.0, 0, 0], [0, 1.0, 0]])
        samples.plate(brushed(*ALPHAS), np.zeros(3), *half, lay_deg=lay_deg)
        samples.lamp(LAMP, 0.01, 1000.0)
        (radiance,) = samples.render([above(0.4, WIDTH, LOBE_PIXELS, ASIDE)], 24, 0.0)
        found[lay_deg] = radiance.mean(axis=-1)
    return found


@pytest.mark.parametrize("lay_deg", [0.0, 30.0])
def test_a_highlight_is_stretched_across_the_lay_as_the_lobe_says(highlights, lay_deg):
    measured, _ = second_moments(highlights[lay_deg])
    modelled, _ = second_moments(ggx_image(*ALPHAS, lay_deg, 0.4))
    assert modelled > 2.0
    assert measured == pytest.approx(modelled, rel=0.15)


def test_turning_the_lay_by_thirty_degrees_turns_the_highlight_as_much(highlights):
    before, after = (second_moments(highlights[lay_deg])[1] for lay_deg in (0.0, 30.0))
    modelled = second_moments(ggx_image(*ALPHAS, 30.0, 0.4))[1] - second_moments(ggx_image(*ALPHAS, 0.0, 0.4))[1]
    assert after - before == pytest.approx(30.0, abs=4.0)
    assert after - before == pytest.approx(modelled, abs=2.0)


FEED = 0.4e-3


def turned(slope: float = 0.05, micro: float = 0.04) -> MetalMaterial:
    row = metal("nickel")
    relief = (Relief("cusp", FEED, slope, 0.0, jitter=0.1, seed=3),)
    across = float(np.hypot(micro, np.sqrt(2.0) * slope))
    return MetalMaterial(
        "turned", "nickel", row.ior, row.extinction, "turned", 1.6, across, micro, "=", (micro, micro), relief
    )


def test_the_period_of_grooves_in_a_close_up_is_the_feed(tmp_path):
    samples = Samples(tmp_path / "samples")
    samples.plate(turned(), np.zeros(3), np.array([0.05, 0, 0]), np.array([0, 0.05, 0]))
    samples.lamp(np.array([0.015, 0.0, 0.3]), 0.01, 100.0)
    width, pixels = 0.012, 96
    (radiance,) = samples.render([above(0.3, width, pixels)], 16, 0.0)
    rows = radiance.mean(axis=(0, 2))
    spectrum = np.abs(np.fft.rfft((rows - rows.mean()) * np.hanning(pixels), 16 * pixels))
    frequency = np.fft.rfftfreq(16 * pixels, width / pixels)
    spectrum[frequency < 0.5 / FEED] = 0.0  # the fall-off of the light
    assert 1.0 / frequency[spectrum.argmax()] == pytest.approx(FEED, rel=0.03)
    assert rows.std() > 0.05 * rows.mean()


def test_grooves_pass_from_the_normal_to_the_lobe_without_a_jump(tmp_path):
    """The same picture with finer and finer pixels: grooves appear, the light they throw stays the same."""
    samples = Samples(tmp_path / "samples")
    samples.plate(turned(), np.zeros(3), np.array([0.05, 0, 0]), np.array([0, 0.05, 0]))
    samples.lamp(np.array([0.02, 0.0, 0.3]), 0.02, 100.0)
    width = 0.012
    sizes = [24, 48, 60, 72, 84, 96, 120, 160]  # 0.8 to 5.3 pixels per groove
    images = samples.render([above(0.3, width, size) for size in sizes], 8, 0.0)
    means = np.array([image.mean() for image in images])
    contrast = np.array([image.mean(axis=(0, 2)).std() for image in images]) / means
    assert np.abs(means / means.mean() - 1.0).max() < 0.05
    assert contrast[-1] > 3.0 * contrast[0]
