"""STL, OBJ, PLY, GLB and 3MF files of shapes whose measures are known."""

import io
import math

import numpy as np
import pytest
import trimesh

from pipeline.errors import InputError
from pipeline.parts.child import Job, read_here
from pipeline.parts.limits import Limits, Tolerance
from pipeline.parts.measure import euler_number

MM = 1e-3


def read(path, units=None):
    return read_here(Job(str(path), units, Tolerance(), Limits(), ""))


def tube():
    """Outer radius 20, inner 12, height 15, along z; 48 segments, millimetres."""
    return trimesh.creation.annulus(r_min=12, r_max=20, height=15, sections=48)


def polygon_factor(sections):
    """Area of a regular polygon over that of its circle."""
    return sections / (2 * math.pi) * math.sin(2 * math.pi / sections)


@pytest.fixture(params=["stl", "stl_ascii", "obj", "ply", "glb", "3mf"])
def tube_file(request, tmp_path):
    mesh = tube()
    suffix = request.param.removesuffix("_ascii")
    path = tmp_path / f"tube.{suffix}"
    if suffix == "glb":
        mesh.apply_scale(MM)
    content = trimesh.Scene(mesh).export(file_type=suffix) if suffix in ("glb", "3mf") else None
    if content is None:
        content = mesh.export(file_type=request.param)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_tube_from_every_mesh_format(tube_file):
    part = read(tube_file)
    assert part.info.file_format == tube_file.suffix[1:]
    assert part.info.units == ("m" if tube_file.suffix == ".glb" else "mm")
    assert part.info.units_source == ("file" if tube_file.suffix in (".glb", ".3mf") else "assumed")
    assert part.info.volume_m3 == pytest.approx(math.pi * (20**2 - 12**2) * 15 * MM**3 * polygon_factor(48), rel=1e-5)
    assert part.info.watertight
    assert not part.info.exact_normals
    assert euler_number(part) == 0
    found = sorted((f.kind, f.inner, round((f.radius_m or 0) / MM, 3)) for f in part.info.faces if f.kind == "cylinder")
    assert found == [("cylinder", False, 20.0), ("cylinder", True, 12.0)]
    assert sorted(f.axis[2] for f in part.info.faces if f.kind == "plane") == pytest.approx([-1, 1])


def test_cylinder_of_a_mesh_gets_radial_normals(tmp_path):
    tube().export(tmp_path / "tube.stl")
    part = read(tmp_path / "tube.stl")
    (bore,) = [f for f in part.info.faces if f.inner]
    rows = np.unique(part.triangles[part.face_of_triangle == bore.face_id])
    inward = -part.vertices[rows, :2] / np.linalg.norm(part.vertices[rows, :2], axis=1)[:, None]
    assert np.abs(part.normals[rows, :2] - inward).max() < 1e-4


def test_unit_is_taken_as_asked_for(tmp_path):
    trimesh.creation.box((1, 2, 3)).export(tmp_path / "box.stl")
    part = read(tmp_path / "box.stl", units="inch")
    assert part.info.volume_m3 == pytest.approx(6 * 0.0254**3)
    assert (part.info.units, part.info.units_source) == ("inch", "spec")


def test_3mf_unit_is_read_from_the_file(tmp_path):
    import zipfile

    content = trimesh.Scene(trimesh.creation.box((1, 2, 3))).export(file_type="3mf")
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(tmp_path / "box.3mf", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'unit="millimeter"', b'unit="centimeter"'))
    part = read(tmp_path / "box.3mf")
    assert part.info.volume_m3 == pytest.approx(6e-6, rel=1e-5)
    assert part.info.units == "cm"


def test_asked_unit_must_not_contradict_the_file(tmp_path, data):
    (tmp_path / "box.glb").write_bytes(trimesh.Scene(trimesh.creation.box((0.1, 0.2, 0.3))).export(file_type="glb"))
    with pytest.raises(InputError, match="in m, but units = 'mm'"):
        read(tmp_path / "box.glb", units="mm")
    with pytest.raises(InputError, match="in inch, but units = 'mm'"):
        read(data / "drilled_box_inch.step", units="mm")
    assert read(tmp_path / "box.glb", units="metre").info.units == "m"


def test_unknown_unit_names_the_known_ones(tmp_path):
    trimesh.creation.box((1, 2, 3)).export(tmp_path / "box.stl")
    with pytest.raises(InputError, match=r"unknown length unit 'parsec'.*mm, .*inch"):
        read(tmp_path / "box.stl", units="parsec")


def test_smooth_ball_is_one_freeform_or_round_face_with_outward_normals(tmp_path):
    trimesh.creation.icosphere(subdivisions=4, radius=10).export(tmp_path / "ball.stl")
    part = read(tmp_path / "ball.stl")
    assert len(part.info.faces) == 1
    radial = part.vertices / np.linalg.norm(part.vertices, axis=1)[:, None]
    assert np.einsum("ij,ij->i", radial, part.normals).min() > 0.9999


def test_normals_of_the_file_are_used(tmp_path):
    mesh = trimesh.creation.icosphere(subdivisions=1, radius=10)
    tilted = mesh.vertices / 10 + np.array((0, 0, 0.3))
    tilted /= np.linalg.norm(tilted, axis=1)[:, None]
    rows = [f"v {x} {y} {z}" for x, y, z in mesh.vertices] + [f"vn {x} {y} {z}" for x, y, z in tilted]
    rows += ["f " + " ".join(f"{i + 1}//{i + 1}" for i in triangle) for triangle in mesh.faces]
    (tmp_path / "ball.obj").write_text("\n".join(rows))
    part = read(tmp_path / "ball.obj")
    expected = part.vertices / 0.01 + np.array((0, 0, 0.3))
    expected /= np.linalg.norm(expected, axis=1)[:, None]
    assert np.abs(part.normals - expected).max() < 1e-4


def test_inside_out_mesh_is_turned(tmp_path):
    mesh = trimesh.creation.box((10, 20, 30))
    mesh.invert()
    mesh.export(tmp_path / "box.stl")
    part = read(tmp_path / "box.stl")
    assert part.info.volume_m3 == pytest.approx(6000 * MM**3)
    corners = part.vertices[part.triangles]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert np.einsum("ij,ij->i", flat, corners.mean(axis=1)).min() > 0
    assert np.einsum("ij,ij->i", flat, part.normals[part.triangles[:, 0]]).min() > 0


def test_triangles_wound_at_random_are_made_consistent(tmp_path):
    mesh = trimesh.creation.box((10, 20, 30))
    faces = mesh.faces.copy()
    faces[::3] = faces[::3, ::-1]
    trimesh.Trimesh(mesh.vertices, faces, process=False).export(tmp_path / "box.stl")
    assert read(tmp_path / "box.stl").info.volume_m3 == pytest.approx(6000 * MM**3)


def test_two_bodies_and_a_void_in_one_stl(tmp_path):
    outer, far = trimesh.creation.box((20, 20, 20)), trimesh.creation.box((4, 4, 4))
    inner = trimesh.creation.box((10, 10, 10))
    inner.invert()
    far.apply_translation((40, 0, 0))
    trimesh.util.concatenate([outer, inner, far]).export(tmp_path / "bodies.stl")
    part = read(tmp_path / "bodies.stl")
    assert [round(s.volume_m3 / MM**3) for s in part.info.solids] == [7000, 64]


def test_placed_instances_of_a_glb(tmp_path):
    scene = trimesh.Scene()
    box = trimesh.creation.box((0.01, 0.02, 0.03))
    for x in (0.0, 0.1):
        scene.add_geometry(box, transform=trimesh.transformations.translation_matrix((x, 0, 0)), geom_name="box")
    (tmp_path / "two.glb").write_bytes(scene.export(file_type="glb"))
    part = read(tmp_path / "two.glb")
    assert len(part.info.solids) == 2
    assert part.info.bounds_m[1][0] - part.info.bounds_m[0][0] == pytest.approx(0.11)
