"""Cast light against closed forms, and against what Cycles' own paths bring to the same pixels."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree
from support.cast_scenes import (
    BLACK,
    EXTINCTION,
    IOR,
    LAMP,
    TABLE,
    CastScene,
    cylinder_mesh,
    plane_seen,
    plate_mesh,
    steel,
)
from support.metal_samples import above

from pipeline import bundle as bundles
from pipeline.layers import read_cast_light, read_layers
from pipeline.reflect.cast_light import cast_light_rows
from pipeline.render.cast_light.gather import gather
from pipeline.render.cast_light.stage import placed_in
from pipeline.render.cast_light.write import add_cast_light
from pipeline.surface.material import Film, PlainMaterial
from pipeline.surface.metals import conductor_reflectance

RADIUS, HEIGHT = 0.01, 0.03
SOURCE = np.array([0.3, 0.05, 0.12])
HALF = 0.004
RADIANCE = 100.0


def aimed_lamp(scene: CastScene, centre: np.ndarray = SOURCE, half: float = HALF, **more) -> int:
    """A square lamp that faces the foot of the cylinder."""
    facing = -centre / np.linalg.norm(centre)
    right = np.cross([0.0, 0.0, 1.0], facing)
    right /= np.linalg.norm(right)
    return scene.lamp(centre, half * right, half * np.cross(facing, right), **more)


def polished_cylinder(folder, material=None) -> CastScene:
    scene = CastScene(folder)
    scene.plane()
    scene.part(cylinder_mesh(RADIUS, HEIGHT, 2048), material or steel(0.0))
    aimed_lamp(scene)
    return scene


def analytic_cells(turns: int = 1500, heights: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The law of reflection on the wall of the cylinder, lamp taken as a point: cells of the wall, thrown onto z = 0.

    Corners of the cells' images (turns, heights, 4, 2), the flux (turns, heights, 3) that each brings, and whether all
    of a cell is lit.
    """
    angle = np.linspace(-np.pi, np.pi, turns + 1)
    z = np.linspace(0.0, HEIGHT, heights + 1)

    def thrown(angle, z):
        normal = np.stack([np.cos(angle), np.sin(angle), 0.0 * angle], axis=-1)
        point = RADIUS * normal + np.stack([0.0 * z, 0.0 * z, z], axis=-1)
        way = SOURCE - point
        distance = np.linalg.norm(way, axis=-1)
        way /= distance[..., None]
        cosine = (way * normal).sum(axis=-1)
        out = 2.0 * cosine[..., None] * normal - way
        landing = point[..., :2] - out[..., :2] * (point[..., 2] / out[..., 2])[..., None]
        return landing, cosine, distance, way

    landing, cosine, _, _ = thrown(*np.meshgrid(angle, z, indexing="ij"))
    corners = np.stack([landing[:-1, :-1], landing[1:, :-1], landing[1:, 1:], landing[:-1, 1:]], axis=2)
    lit = (cosine[:-1, :-1] > 0) & (cosine[1:, :-1] > 0)
    _, middle, distance, way = thrown(
        *np.meshgrid(0.5 * (angle[1:] + angle[:-1]), 0.5 * (z[1:] + z[:-1]), indexing="ij")
    )
    area = RADIUS * (angle[1] - angle[0]) * (z[1] - z[0])
    leaving = (way * (SOURCE / np.linalg.norm(SOURCE))).sum(axis=-1)
    sent = RADIANCE * (2 * HALF) ** 2 * leaving * np.maximum(middle, 0.0) * area / distance**2
    flux = sent[..., None] * conductor_reflectance(IOR, EXTINCTION, np.clip(middle, 0.0, 1.0))
    return corners, flux, lit


def image_of(scene: CastScene, pixels: int = 192, width: float = 0.16, photons: int = 1 << 18, seed: int = 3):
    """The cast light that a camera above sees on the plane, albedo 1, and what it saw."""
    seen = plane_seen(above(0.5, width, pixels))
    names = {LAMP + number: group for number, group in enumerate(scene.lights)}
    groups = tuple(dict.fromkeys(scene.lights)) or ("lamp",)
    return gather(seen, scene.landings(photons, seed), names, groups), seen


def test_a_polished_cylinder_throws_its_light_where_the_law_of_reflection_puts_it(tmp_path) -> None:
    landings = polished_cylinder(tmp_path).landings()
    corners, _, lit = analytic_cells()
    expected = corners[lit].mean(axis=1)
    near = np.linalg.norm(landings.point[:, :2], axis=1) < 0.08
    points = landings.point[near, :2]
    assert len(points) > 10_000
    assert np.abs(landings.point[:, 2]).max() < 1e-5
    away, _ = cKDTree(expected).query(points)
    # The lamp is 8 mm wide and 0.33 m away: its image is blurred by 8/330 of the way from the wall, at most 0.08 m.
    assert np.percentile(away, 99.0) < 0.002
    inside = np.linalg.norm(expected, axis=1) < 0.08
    missed, _ = cKDTree(points).query(expected[inside])
    assert np.percentile(missed, 99.0) < 0.003


def test_the_irradiance_is_that_of_the_mapped_wall(tmp_path) -> None:
    """Flux of each cell of the wall over the area of its image, against the layer's radiance times pi."""
    found, seen = image_of(polished_cylinder(tmp_path))
    corners, flux, lit = analytic_cells()
    a, b, c, d = np.moveaxis(corners, 2, 0)
    cross = lambda u, v: u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]  # noqa: E731
    area = 0.5 * np.abs(cross(c - a, d - b))
    middle = corners.mean(axis=2)
    distance = np.linalg.norm(middle, axis=-1)
    # Beside the rim of the shadow the image of the wall is folded thin; there a point lamp's light is not this one's.
    cosine = (middle @ SOURCE[:2]) / np.linalg.norm(SOURCE[:2]) / distance
    chosen = lit & (distance > 0.014) & (distance < 0.06) & (cosine > -0.3)
    column, row = seen.camera.fx * middle[..., 0] / 0.5 + 96, 96 - seen.camera.fy * middle[..., 1] / 0.5
    at = row[chosen].astype(int), column[chosen].astype(int)
    shown = found.radiance["lamp"][at] * np.pi
    expected = flux[chosen] / area[chosen][:, None]
    ratio = shown.sum(axis=1) / expected.sum(axis=1)
    assert len(ratio) > 10_000
    assert np.median(ratio) == pytest.approx(1.0, abs=0.03)
    assert np.mean(np.abs(ratio - 1.0) < 0.3) > 0.9
    assert np.corrcoef(shown.sum(axis=1), expected.sum(axis=1))[0, 1] > 0.97


def test_it_vanishes_with_the_cylinder_and_when_the_cylinder_is_black(tmp_path) -> None:
    without = CastScene(tmp_path / "without")
    without.plane()
    aimed_lamp(without)
    assert without.landings().lamp.size == 0
    for name, material in {
        "black": steel(0.0, BLACK),
        "plastic": PlainMaterial("p", (0.5,) * 3, 0.1, 1.5, 0, 1),
    }.items():
        found, _ = image_of(polished_cylinder(tmp_path / name, material))
        assert not found.radiance["lamp"].any()
        assert not found.error.any()
        assert not found.thrower.any()
        assert not found.lamp.any()


def test_no_light_no_landings(tmp_path) -> None:
    dark = CastScene(tmp_path / "dark")
    dark.plane()
    dark.part(cylinder_mesh(RADIUS, HEIGHT), steel())
    assert dark.landings().lamp.size == 0
    aimed_lamp(dark, radiance=(0.0, 0.0, 0.0))
    assert dark.landings().lamp.size == 0
    away = CastScene(tmp_path / "away")
    away.plane()
    away.part(cylinder_mesh(RADIUS, HEIGHT), steel())
    away.lamp(SOURCE, [0.0, -HALF, 0.0], [-HALF / 3, 0.0, -HALF])  # shines the other way
    assert away.landings().lamp.size == 0


def tilted_plate(folder, material, lay=(0.0, 1.0, 0.0)) -> CastScene:
    """A small mirror 0.1 m above the plane that throws the light of a level lamp beside it straight down."""
    scene = CastScene(folder)
    scene.plane(half=1.0)
    scene.part(plate_mesh((0.0, 0.0, 0.1), (-0.005, 0.0, -0.005), (0.0, 0.005, 0.0), lay), material)
    scene.lamp((0.2, 0.0, 0.1), (0.0, 0.003, 0.0), (0.0, 0.0, -0.003), (50.0, 100.0, 150.0))
    return scene


def test_a_flat_mirror_throws_the_lamp_s_flux_times_fresnel(tmp_path) -> None:
    """Light along -x meets the plate at 45 degrees and goes on along -z: L A_lamp A_plate cos 45 / d^2 F(45)."""
    scene = tilted_plate(tmp_path, steel(0.0))
    plate, lamp = 4 * np.hypot(0.005, 0.005) * 0.005, 4 * 0.003**2
    sent = np.array([50.0, 100.0, 150.0]) * lamp * plate * np.sqrt(0.5) / 0.2**2
    expected = sent * conductor_reflectance(IOR, EXTINCTION, np.sqrt(0.5))
    landings = scene.landings()
    np.testing.assert_allclose(landings.flux.sum(axis=0, dtype=np.float64), expected, rtol=0.01)
    # From the lamp's mirror image, 0.195 m or more above the plate, rays go on for at most 0.105 m.
    reach = 0.005 + 0.105 * (0.005 + 0.003) / 0.195
    assert np.percentile(np.abs(landings.point[:, :2]), 99.9) == pytest.approx(reach, rel=0.05)
    found, _ = image_of(scene, width=0.04)
    pixel = (0.04 / 192) ** 2
    shown = found.radiance["lamp"].sum(axis=(0, 1), dtype=np.float64) * np.pi * pixel
    np.testing.assert_allclose(shown, expected, rtol=0.03)


def test_grooves_spread_light_across_themselves(tmp_path) -> None:
    """GGX facets of slope s turn a ray by 2 s: the spread on the plane is as anisotropic as the alphas."""
    grooved = replace(steel(), alpha_across=0.2, alpha_along=0.02, lay="=")
    for lay, wide in (((0.0, 1.0, 0.0), 0), ((1.0, 0.0, 1.0), 1)):
        landings = tilted_plate(tmp_path / str(wide), grooved, lay).landings()
        spread = [np.subtract(*np.percentile(landings.point[:, axis], [75, 25])) for axis in (0, 1)]
        # Seen from 45 degrees a slope across y turns the ray by less than one across x: 2 s cos 45 against 2 s.
        assert spread[wide] > 2.5 * spread[1 - wide]


@pytest.mark.parametrize(("kind", "share"), [("opaque", 0.05), ("clear", 0.55), ("interference", 0.4)])
def test_films_change_what_is_thrown(tmp_path, kind, share) -> None:
    film = Film("film", kind, 1.5, thickness_nm=60.0, roughness=0.01, color=(0.9, 0.9, 0.9))
    bare = tilted_plate(tmp_path / "bare", steel(0.0)).landings().flux.sum()
    coated = tilted_plate(tmp_path / kind, replace(steel(0.0), film=film)).landings().flux.sum()
    dielectric = float(conductor_reflectance((1.5,) * 3, (0.0,) * 3, np.sqrt(0.5))[0])
    metal = float(conductor_reflectance(IOR, EXTINCTION, np.sqrt(0.5)).mean())
    if kind == "opaque":
        assert coated / bare == pytest.approx(dielectric / metal, rel=0.03)
    else:
        assert share < coated / bare < 1.05


def test_the_part_and_the_lamp_that_throw_are_named(tmp_path) -> None:
    """Two cylinders far apart, each with a lamp of its own light group on its outer side."""
    scene = CastScene(tmp_path)
    scene.plane()
    for side in (-1, 1):
        mesh = cylinder_mesh(RADIUS, HEIGHT)
        mesh["vertices"] = mesh["vertices"] + [0.1 * side, 0.0, 0.0]
        scene.part(mesh, steel())
    left = scene.lamp((-0.2, 0.0, 0.05), (0.0, 0.003, 0.0), (0.0, 0.0, 0.003), group="left")
    right = scene.lamp((0.2, 0.0, 0.05), (0.0, 0.003, 0.0), (0.0, 0.0, -0.003), group="right")
    found, _ = image_of(scene, pixels=200, width=0.4)
    for side, instance, lamp, group, other in ((0, 1, left, "left", "right"), (1, 2, right, "right", "left")):
        near = np.s_[90:110, 30:44] if side == 0 else np.s_[90:110, 156:170]
        assert (found.thrower[near] == instance).all()
        assert (found.lamp[near] == lamp).all()
        assert found.radiance[group][near].sum() > 50 * found.radiance[other][near].sum()
    assert (found.thrower > 0).sum() == ((found.radiance["left"] + found.radiance["right"]).sum(axis=-1) > 0).sum()


def test_the_same_seed_gives_the_same_landings_on_any_number_of_threads(tmp_path) -> None:
    scene = polished_cylinder(tmp_path)
    first, second, other = (scene.landings(1 << 17, seed, threads) for seed, threads in ((3, 1), (3, 3), (4, 1)))
    for name in ("point", "normal", "flux", "receiver", "thrower", "lamp"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.point.shape != other.point.shape or (first.point != other.point).any()
    assert other.flux.sum() == pytest.approx(first.flux.sum(), rel=0.01)


def test_the_error_layer_tells_how_far_two_seeds_differ(tmp_path) -> None:
    scene = polished_cylinder(tmp_path)
    first, second = (image_of(scene, photons=1 << 16, seed=seed)[0] for seed in (3, 4))
    brightness = [one.radiance["lamp"] @ [0.2126, 0.7152, 0.0722] for one in (first, second)]
    middle = np.s_[60:130, 110:180]
    difference = (brightness[0] - brightness[1])[middle]
    expected = np.sqrt(first.error**2 + second.error**2)[middle]
    assert np.sqrt(np.mean(difference**2)) == pytest.approx(np.sqrt(np.mean(expected**2)), rel=0.3)


def test_the_other_half_of_a_polarised_lamp_and_lamps_of_other_rigs_are_not_there(tmp_path) -> None:
    job = polished_cylinder(tmp_path).job(above(0.5, 0.1, 8))
    view = job.bundle.views[0]
    lamp = job.objects[-1]
    objects = (
        *job.objects[:-1],
        replace(lamp, lights="mirrors"),
        replace(lamp, name="x", lights="diffusers"),
        replace(lamp, name="y", rigs=(1,)),
        replace(lamp, name="z", camera=1),
    )
    names = [one.entry.name for one in placed_in(replace(job, objects=objects), view)]
    assert names == [entry.name for entry in job.objects]
    shifted = placed_in(job, replace(view, belt_shift_m=(0.1, 0.0, 0.0)))
    moved = [one.entry.index for one in shifted if one.world_from_object[3] == 0.1]
    assert moved == [1]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """A satin cylinder on a grey plane, in Cycles."""
    folder = tmp_path_factory.mktemp("cast")
    scene = CastScene(folder / "job")
    scene.plane(0.02)  # dark: light that the plane throws back onto the metal does not count
    scene.part(cylinder_mesh(RADIUS, HEIGHT), steel(0.2))
    aimed_lamp(scene, half=0.02)
    return scene.render(folder / "out", above(0.5, 0.1, 64), samples=256)


@pytest.mark.bpy
def test_cycles_throws_as_much_light_to_the_same_places(rendered) -> None:
    folder = bundles.view_folder(rendered, 0)
    cast = read_cast_light(folder / "cast_light.exr")[0]["lamp"]
    indirect = read_layers(folder)["diffuse_indirect"]
    plane = bundles.read_ids(folder / "object.png") == TABLE
    np.testing.assert_allclose(cast[plane].sum(axis=0), indirect[plane].sum(axis=0), rtol=0.05)
    ours, theirs = (cv2.GaussianBlur(image.mean(axis=-1), (0, 0), 1.0)[plane] for image in (cast, indirect))
    assert np.corrcoef(ours, theirs)[0, 1] > 0.97
    near = plane & (cast.mean(axis=-1) > np.percentile(cast.mean(axis=-1)[plane], 90))
    np.testing.assert_allclose(cast[near].sum(axis=0), indirect[near].sum(axis=0), rtol=0.06)


@pytest.mark.bpy
def test_a_rendered_view_has_its_streak_as_a_patch(rendered) -> None:
    folder = bundles.view_folder(rendered, 0)
    rows = cast_light_rows(rendered)
    assert rows
    streak = max(rows, key=lambda row: row["peak_radiance"])
    assert (streak["instance_id"], streak["light_id"], streak["receiver_id"]) == (1, "lamp0", "table")
    assert streak["centroid"][0] > 32  # on the lamp's side
    thrower = bundles.read_ids(folder / "thrower.png")
    assert set(np.unique(thrower)) <= {0, 1}
    assert not thrower[bundles.read_ids(folder / "object.png") == 1].any()


@pytest.mark.bpy
def test_the_files_are_written_again_with_the_same_bytes(rendered) -> None:
    folder = bundles.view_folder(rendered, 0)
    names = ("cast_light.exr", "thrower.png", "cast_lamp.png")
    before = {name: (folder / name).read_bytes() for name in names}
    add_cast_light(rendered.parent / "job", rendered)
    assert before == {name: (folder / name).read_bytes() for name in names}
