"""Copies of a part within a tolerance: sizes as drawn, closed, not turned over, the same for the same seed."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.parts.deviations import limits_m, truncated_normal
from pipeline.parts.topology import area_vectors, count_open_edges, volume, weld
from pipeline.parts.variation import varied_part, vary

FIXTURES = ("cylinder", "drilled_box_mm", "ell", "gear12", "knob", "loft", "plate_6_holes", "ring", "three_bodies")


@dataclass(frozen=True)
class Tolerance:
    standard: str
    seed: int


def rows_of(part, face_id):
    return np.unique(part.triangles[part.face_of_triangle == face_id])


def radii(part, face):
    """Distances of a face's vertices from its nominal axis, measured on the mesh."""
    relative = part.vertices[rows_of(part, face.face_id)] - np.array(face.origin)
    return np.linalg.norm(np.cross(relative, np.array(face.axis)), axis=1)


def largest(part, kind, inner):
    return max((f for f in part.info.faces if f.kind == kind and f.inner == inner), key=lambda f: f.area_m2)


@pytest.mark.parametrize(
    ("standard", "size_mm", "low_mm", "high_mm"),
    [
        ("iso2768-f", 20.0, -0.1, 0.1),
        ("iso2768-m", 100.0, -0.3, 0.3),
        ("iso2768-c", 400.0, -1.2, 1.2),
        ("iso2768-v", 5.0, -0.5, 0.5),
        ("iso2768-m", 0.25, -0.05, 0.05),
        ("iso286-IT7", 25.0, -0.021, 0.0),
        ("iso286-IT11", 60.0, -0.190, 0.0),
    ],
)
def test_limits_are_the_published_ones(standard, size_mm, low_mm, high_mm):
    assert np.array(limits_m(standard, size_mm * 1e-3)) * 1e3 == pytest.approx([low_mm, high_mm], abs=1e-9)


def test_an_unknown_standard_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="iso286-IT6"):
        limits_m("iso2768-x", 0.01)


def test_draws_are_normal_with_the_limits_at_three_sigma():
    drawn = truncated_normal((np.arange(100_000) + 0.5) / 100_000)
    assert np.abs(drawn).max() <= 1.0
    assert drawn.mean() == pytest.approx(0.0, abs=1e-6)
    # Variance of a normal distribution cut at +-3 sigma: 1 - 6 phi(3) / (2 Phi(3) - 1) = 0.9733 (textbook formula).
    assert drawn.var() * 9 == pytest.approx(0.9733, abs=1e-3)


def test_diameters_of_many_copies_spread_as_the_tolerance_says(part_of):
    part = part_of("cylinder.step")
    face = largest(part, "cylinder", False)
    low, high = limits_m("iso2768-f", 2 * face.radius_m)
    found = []
    for seed in range(200):
        measured = radii(vary(part, Tolerance("iso2768-f", seed)), face)
        assert np.ptp(measured) < 1e-8, "a round part stays round"
        found.append(2 * (measured.mean() - face.radius_m))
    assert low <= min(found)
    assert max(found) <= high
    assert abs(np.mean(found)) < 0.25 * high / 3
    assert np.std(found) == pytest.approx(0.9866 * high / 3, rel=0.15)


def test_ground_holes_are_never_smaller_and_ground_shafts_never_larger_than_nominal(part_of):
    ring = part_of("ring.step")
    for inner in (True, False):
        faces = [f for f in ring.info.faces if f.kind == "cylinder" and f.inner == inner]
        for face in faces:
            width = -limits_m("iso286-IT9", 2 * face.radius_m)[0]
            for seed in range(20):
                grown = 2 * (radii(vary(ring, Tolerance("iso286-IT9", seed)), face).mean() - face.radius_m)
                assert -1e-9 <= (grown if inner else -grown) <= width + 1e-9


def test_lengths_between_planes_stay_within_the_tolerance_and_differ(part_of):
    part = part_of("drilled_box_mm.step")
    sides = np.ptp(np.array(part.info.bounds_m), axis=0)
    found = np.array([np.ptp(vary(part, Tolerance("iso2768-m", s)).vertices, axis=0) - sides for s in range(60)])
    limits = np.array([limits_m("iso2768-m", side)[1] for side in sides])
    assert np.all(np.abs(found) <= limits)
    assert np.all(found.std(axis=0) > 0.1 * limits)
    assert np.abs(np.corrcoef(found.T)[np.triu_indices(3, 1)]).max() < 0.5, "each dimension has luck of its own"


@pytest.mark.parametrize("name", FIXTURES)
@pytest.mark.parametrize("standard", ["iso2768-m", "iso286-IT8"])
def test_copies_stay_closed_and_nothing_turns_over(part_of, name, standard):
    part = part_of(f"{name}.step")
    copy = vary(part, Tolerance(standard, 11))
    assert np.abs(copy.vertices - part.vertices).max() > 1e-7
    before, after = area_vectors(part.vertices, part.triangles), area_vectors(copy.vertices, copy.triangles)
    assert np.all(np.einsum("ij,ij->i", before, after) > 0)
    assert count_open_edges(weld(copy.vertices)[copy.triangles]) == count_open_edges(
        weld(part.vertices)[part.triangles]
    )
    assert copy.info.volume_m3 == pytest.approx(volume(copy.vertices, copy.triangles), rel=1e-9)
    assert copy.info.volume_m3 > 0


@pytest.mark.parametrize("name", ["cylinder", "drilled_box_mm", "ring", "plate_6_holes"])
def test_face_records_describe_the_moved_mesh(part_of, name):
    copy = vary(part_of(f"{name}.step"), Tolerance("iso2768-m", 3))
    for face in copy.info.faces:
        points = copy.vertices[rows_of(copy, face.face_id)]
        if face.kind == "plane":
            assert np.abs((points - np.array(face.origin)) @ np.array(face.axis)).max() < 2e-7
        elif face.kind == "cylinder":
            assert radii(copy, face) == pytest.approx(face.radius_m, abs=2e-7)
    np.testing.assert_allclose(copy.info.bounds_m, [copy.vertices.min(axis=0), copy.vertices.max(axis=0)])


def test_fillets_stay_tangent_to_the_faces_they_join(part_of):
    part = part_of("knob.step")
    copy = vary(part, Tolerance("iso2768-m", 5))
    facing = np.einsum(
        "ij,ij->i",
        area_vectors(copy.vertices, copy.triangles),
        copy.normals[copy.triangles].mean(axis=1).astype(np.float64),
    )
    size = np.linalg.norm(area_vectors(copy.vertices, copy.triangles), axis=1)
    assert np.average(facing / size, weights=size) > 0.995
    assert np.array_equal(copy.normals, part.normals)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_part(part_of):
    part = part_of("knob.step")
    one, again, other = (vary(part, Tolerance("iso2768-m", seed)) for seed in (7, 7, 8))
    assert one.vertices.tobytes() == again.vertices.tobytes()
    assert one.info == again.info
    assert np.abs(one.vertices - other.vertices).max() > 1e-6


def test_poses_rest_on_the_plane_and_symmetries_are_nominal(part_of):
    part = part_of("ell.step")
    copy = vary(part, Tolerance("iso2768-c", 2))
    assert copy.info.symmetries == part.info.symmetries
    for pose in copy.info.resting_poses:
        matrix = np.array(pose.world_from_part).reshape(4, 4)
        assert (copy.vertices @ matrix[2, :3] + matrix[2, 3]).min() == pytest.approx(0.0, abs=1e-12)


def test_a_mesh_without_faces_is_scaled_within_the_tolerance(part_of):
    part = part_of("drilled_box_mm.step")
    mesh = replace(part, info=replace(part.info, exact_normals=False))
    sides = np.ptp(mesh.vertices, axis=0)
    limit = limits_m("iso2768-m", float(sides.max()))[1]
    factors = []
    for seed in range(40):
        ratio = np.ptp(vary(mesh, Tolerance("iso2768-m", seed)).vertices, axis=0) / sides
        assert np.ptp(ratio) < 1e-9
        factors.append(ratio[0])
    assert np.abs((np.array(factors) - 1) * sides.max()).max() <= limit
    assert np.std(factors) > 0


def test_a_part_without_a_tolerance_is_itself(part_of):
    part = part_of("cylinder.step")
    assert varied_part(part, None) is part
