"""STEP and IGES files against what geometry says about the shapes in them."""

import math

import numpy as np
import pytest

from pipeline.parts.child import Job, read_here
from pipeline.parts.measure import euler_number
from pipeline.parts.part import load_part, save_part
from pipeline.parts.read import Limits, Tolerance, read_part

MM = 1e-3
BOX_VOLUME = (60 * 40 - math.pi * 10**2) * 20 * MM**3
BOX_FILES = ["drilled_box_mm.step", "drilled_box_inch.step", "drilled_box_inch.igs", "painted_box.step"]


def vertices_of(part, face_id):
    return np.unique(part.triangles[part.face_of_triangle == face_id])


@pytest.mark.parametrize("name", BOX_FILES)
def test_drilled_box_has_its_size_whatever_unit_and_format(part_of, name):
    part = part_of(name)
    assert np.allclose(part.info.bounds_m, np.array([(-25, -13, 11), (35, 27, 31)]) * MM, atol=1e-7)
    assert part.info.volume_m3 == pytest.approx(BOX_VOLUME, rel=1e-3)
    assert part.info.diameter_m == pytest.approx(math.sqrt(60**2 + 40**2 + 20**2) * MM, rel=1e-6)
    assert part.info.watertight
    assert euler_number(part) == 0


@pytest.mark.parametrize(("name", "unit"), [("drilled_box_mm.step", "mm"), ("drilled_box_inch.step", "inch"),
                                            ("drilled_box_inch.igs", "inch")])  # fmt: skip
def test_unit_is_named_as_in_the_file(part_of, name, unit):
    assert (part_of(name).info.units, part_of(name).info.units_source) == (unit, "file")


@pytest.mark.parametrize("name", BOX_FILES)
def test_drilled_box_faces(part_of, name):
    faces = part_of(name).info.faces
    planes = [f for f in faces if f.kind == "plane"]
    (bore,) = [f for f in faces if f.kind == "cylinder"]
    assert len(planes) == 6
    assert sorted(round(f.area_m2 / MM**2) for f in planes) == [800, 800, 1200, 1200, 2086, 2086]
    assert np.allclose(sum(np.array(f.axis) * f.area_m2 for f in planes), 0, atol=1e-9)
    assert bore.inner is True
    assert bore.radius_m == pytest.approx(10 * MM, rel=1e-6)
    assert bore.area_m2 == pytest.approx(2 * math.pi * 10 * 20 * MM**2, rel=1e-3)
    assert np.allclose(np.abs(bore.axis), (0, 0, 1), atol=1e-9)
    assert np.allclose(bore.origin[:2], (5 * MM, 7 * MM), atol=1e-8)


@pytest.mark.parametrize("name", BOX_FILES)
def test_plane_axes_point_out_of_the_box(part_of, name):
    for face in part_of(name).info.faces:
        if face.kind == "plane":
            assert np.dot(face.axis, np.array(face.origin) - np.array((5, 7, 21)) * MM) > 0


@pytest.mark.parametrize("name", BOX_FILES)
def test_bore_normals_point_to_the_axis_exactly(part_of, name):
    part = part_of(name)
    (bore,) = [f for f in part.info.faces if f.kind == "cylinder"]
    rows = vertices_of(part, bore.face_id)
    radial = part.vertices[rows, :2] - np.array((5, 7)) * MM
    radial /= np.linalg.norm(radial, axis=1)[:, None]
    assert np.abs(part.normals[rows, :2] + radial).max() < 1e-6
    assert np.abs(part.normals[rows, 2]).max() < 1e-6


def test_cylinder_split_into_arcs_is_convex_with_radial_normals(part_of):
    part = part_of("cylinder.step")
    (side,) = [f for f in part.info.faces if f.kind == "cylinder"]
    assert (side.inner, side.radius_m) == (False, pytest.approx(8 * MM))
    rows = vertices_of(part, side.face_id)
    radial = part.vertices[rows] - np.array((1, 0, 3)) * MM
    radial[:, 1] = 0
    radial /= np.linalg.norm(radial, axis=1)[:, None]
    assert np.abs(part.normals[rows] - radial).max() < 1e-6
    assert part.info.volume_m3 == pytest.approx(math.pi * 8**2 * 30 * MM**3, rel=1e-3)
    assert euler_number(part) == 2


def test_cone_and_sphere(part_of):
    part = part_of("knob.step")
    by_kind = {f.kind: f for f in part.info.faces}
    cone, ball = by_kind["cone"], by_kind["sphere"]
    assert np.allclose(cone.origin, (0, 0, 20 * MM), atol=1e-9)  # apex: radius 12 at z = 0, 6 at z = 10
    lateral = math.pi * (12 + 6) * math.hypot(10, 6) * MM**2
    assert cone.area_m2 == pytest.approx(lateral, rel=1e-3)
    # area-weighted mean radius of a frustum: (2/3) (R^3 - r^3) / (R^2 - r^2)
    assert cone.radius_m == pytest.approx(2 / 3 * (12**3 - 6**3) / (12**2 - 6**2) * MM, rel=1e-3)
    assert (cone.inner, ball.inner) == (False, False)
    assert ball.radius_m == pytest.approx(9 * MM)
    assert np.allclose(ball.origin, (0, 0, 22 * MM), atol=1e-9)
    rows = vertices_of(part, cone.face_id)
    slope = part.normals[rows] @ np.array((0, 0, 1.0))
    assert np.abs(slope - 6 / math.hypot(10, 6)).max() < 1e-6


def test_outer_and_inner_fillets_of_a_ring_are_convex_tori(part_of):
    part = part_of("ring.step")
    tori = sorted((f for f in part.info.faces if f.kind == "torus"), key=lambda f: f.radius_m)
    assert [(round(f.radius_m / MM, 6), round(f.minor_radius_m / MM, 6), f.inner) for f in tori] == [
        (13, 3, False),
        (17, 3, False),
    ]
    assert [f.inner for f in part.info.faces if f.kind == "cylinder"].count(True) == 1
    assert euler_number(part) == 0
    outer = tori[1]
    rows = vertices_of(part, outer.face_id)
    offset = part.vertices[rows] - outer.origin
    ring = np.column_stack([offset[:, :2] / np.linalg.norm(offset[:, :2], axis=1)[:, None], np.zeros(len(rows))])
    expected = (offset - ring * 17 * MM) / (3 * MM)
    assert np.abs(part.normals[rows] - expected).max() < 1e-5


def test_hollow_sphere_inside_a_solid_is_concave_and_not_a_solid_of_its_own(part_of):
    part = part_of("three_bodies.step")
    (ball,) = [f for f in part.info.faces if f.kind == "sphere"]
    assert ball.inner is True
    volumes = [s.volume_m3 / MM**3 for s in part.info.solids]
    assert volumes == pytest.approx([1000, 1000, 1000 - 4 / 3 * math.pi * 27], rel=1e-3)
    assert [f.solid_id for f in part.info.faces] == [0] * 6 + [1] * 6 + [2] * 7
    assert euler_number(part) == 2 + 2 + 4


def test_assembly_instances_are_baked_with_names_and_colors(part_of):
    part = part_of("assembly.step")
    assert [s.name for s in part.info.solids] == ["plate", "pin_upright", "pin_lying"]
    assert all(s.watertight for s in part.info.solids)
    volumes = [s.volume_m3 / MM**3 for s in part.info.solids]
    assert volumes == pytest.approx([50 * 30 * 6, math.pi * 16 * 20, math.pi * 16 * 20], rel=2e-3)
    upright, lying = (f for f in part.info.faces if f.kind == "cylinder")
    assert np.allclose(np.abs(upright.axis), (0, 0, 1), atol=1e-7)
    assert np.allclose(np.abs(lying.axis), (1, 0, 0), atol=1e-7)
    assert np.allclose(lying.origin[1:], (0, 7 * MM), atol=1e-7)
    gray = ((0.5 + 0.055) / 1.055) ** 2.4  # the file says sRGB 0.5; we keep linear light
    assert part.info.solids[0].color == pytest.approx((gray, gray, gray), abs=1e-3)
    assert part.info.solids[1].color == part.info.solids[2].color != part.info.solids[0].color


def test_faces_keep_surface_and_color_when_a_solid_has_several_colors(part_of):
    part = part_of("painted_box.step")
    red = [f for f in part.info.faces if f.color == (1.0, 0.0, 0.0)]
    assert sorted(f.kind for f in red) == ["cylinder", "plane"]
    assert max(f.axis[2] for f in red) == pytest.approx(1)
    assert part.info.solids[0].color is None
    assert part.info.solids[0].name == "Gehäuse"


def test_freeform_faces_have_no_axis_and_smooth_unit_normals(part_of):
    part = part_of("loft.step")
    freeform = [f for f in part.info.faces if f.kind == "freeform"]
    assert len(freeform) == 5
    assert all(f.axis is None and f.radius_m is None and f.inner is None for f in freeform)
    corners = part.vertices[part.triangles]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(flat, axis=1)
    agreement = np.einsum("ij,ikj->ik", flat / area[:, None], part.normals[part.triangles]).min(axis=1)
    assert agreement.min() > 0.5  # slivers at a corner turn fast, none is turned over
    assert area[agreement > math.cos(0.1)].sum() > 0.99 * area.sum()


@pytest.mark.parametrize("name", ["loft.step", "ring.step", "assembly.step", "drilled_box_inch.igs"])
def test_normals_are_unit_and_areas_add_up(part_of, name):
    part = part_of(name)
    assert np.abs(np.linalg.norm(part.normals, axis=1) - 1).max() < 1e-5
    corners = part.vertices[part.triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() / 2
    assert part.info.area_m2 == pytest.approx(area)
    assert set(part.face_of_triangle) == set(range(len(part.info.faces)))
    owner = np.full(len(part.vertices), -1)
    owner[part.triangles[:, 0]] = part.face_of_triangle
    used = owner[part.triangles]
    assert np.all((used == part.face_of_triangle[:, None]) | (used == -1))


def test_curves_beside_a_solid_are_skipped_and_named(part_of):
    part = part_of("box_and_curve.step")
    assert part.info.volume_m3 == pytest.approx(1000 * MM**3, rel=1e-6)
    assert len(part.info.skipped) == 1
    assert "curve" in part.info.skipped[0]


def test_smaller_tolerance_comes_nearer_to_the_true_volume(data):
    true = math.pi * 8**2 * 30 * MM**3
    errors = []
    for linear in (2e-4, 2e-6):
        tolerance = Tolerance(linear_m=linear, angular_rad=1.0)
        part = read_here(Job(str(data / "cylinder.step"), None, tolerance, Limits(), ""))
        sag = 8 * MM - np.linalg.norm(part.vertices[part.triangles].mean(axis=1)[:, [0, 2]] - (MM, 3 * MM), axis=1)
        assert sag[part.face_of_triangle == 0].max() <= linear * 1.05
        errors.append(true - part.info.volume_m3)
    assert 0 < errors[1] < errors[0] / 20


def test_reading_twice_gives_the_same_bytes(data, tmp_path):
    contents = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        part = read_part(data / "painted_box.step", units=None, tolerance=Tolerance(), limits=Limits())
        save_part(part, folder)
        contents.append([p.read_bytes() for p in sorted(folder.iterdir())])
        assert load_part(folder).info == part.info
    assert contents[0] == contents[1]
