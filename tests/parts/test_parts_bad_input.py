"""Every kind of bad file gives one clear message, and nothing is left running or lying about."""

import os
import tempfile
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh
from support.fake_builds import children

from pipeline.errors import EnvironmentProblem, InputError
from pipeline.parts import brep
from pipeline.parts.child import Job, read_here
from pipeline.parts.read import Limits, Tolerance, read_part


def refuse(path, match, limits=None, tolerance=None):
    """The whole way, through a process."""
    with pytest.raises(InputError, match=match) as caught:
        read_part(path, units=None, tolerance=tolerance or Tolerance(), limits=limits or Limits())
    message = str(caught.value)
    assert path.name in message
    assert "Traceback" not in message
    assert "\n" not in message
    return message


def refuse_here(path, match, limits=None):
    """The same without a process, for what only concerns the file."""
    with pytest.raises(InputError, match=match) as caught:
        read_here(Job(str(path), None, Tolerance(), limits or Limits(), ""))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_missing_file_and_folder(tmp_path):
    refuse(tmp_path / "none.step", "found nothing")
    (tmp_path / "folder.step").mkdir()
    refuse(tmp_path / "folder.step", "found a folder")


def test_unknown_suffix_names_the_known_ones(tmp_path):
    refuse(written(tmp_path / "part.prt", "x"), r"\.step \.stp .*\.3mf")


@pytest.mark.parametrize("suffix", ["step", "igs", "stl", "obj", "ply", "glb", "3mf"])
def test_empty_file(tmp_path, suffix):
    refuse(written(tmp_path / f"part.{suffix}", ""), "empty")


@pytest.mark.parametrize("suffix", ["step", "iges", "stl", "obj", "ply", "glb", "3mf"])
def test_text_under_another_name(tmp_path, suffix):
    refuse_here(
        written(tmp_path / f"part.{suffix}", "Dear customer,\nplease find attached\n"), "is not a|is no|no triangles"
    )


def test_truncated_files(tmp_path, data):
    step = (data / "ring.step").read_bytes()
    refuse_here(written(tmp_path / "half.step", step[: len(step) // 2]), "truncated.*END-ISO-10303-21")
    iges = (data / "drilled_box_inch.igs").read_bytes()
    refuse_here(written(tmp_path / "half.igs", iges[: len(iges) // 2]), "truncated")


def test_whole_frame_with_damaged_inside(tmp_path, data):
    step = (data / "ring.step").read_bytes()
    middle = step.index(b"DATA;") + 5
    refuse(
        written(tmp_path / "hollow.step", step[:middle] + b"\nENDSEC;\nEND-ISO-10303-21;\n"), "nothing that it can read"
    )


def test_step_without_a_solid(data):
    refuse_here(data / "surfaces_only.step", "only surfaces, no solid")
    refuse_here(data / "curves_only.step", "only curves")


def test_open_stl_counts_its_open_edges(tmp_path):
    mesh = trimesh.creation.icosphere(subdivisions=2, radius=10)
    mesh.update_faces(np.arange(len(mesh.faces)) != 7)
    for suffix in ("stl", "ply", "obj"):
        mesh.export(tmp_path / f"open.{suffix}")
        refuse_here(tmp_path / f"open.{suffix}", "not watertight: 3 open edges")


def test_zero_size(tmp_path):
    point = "".join("facet normal 0 0 0\nouter loop\n" + "vertex 1 1 1\n" * 3 + "endloop\nendfacet\n" for _ in range(4))
    refuse_here(written(tmp_path / "point.stl", f"solid a\n{point}endsolid a\n"), "zero size")


def test_flat(tmp_path):
    triangle = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 9 0 0\nvertex 0 9 0\nendloop\nendfacet\n"
    refuse_here(written(tmp_path / "flat.stl", f"solid a\n{triangle}endsolid a\n"), "flat")


def test_ten_kilometres_and_ten_micrometres(tmp_path):
    trimesh.creation.box((1e7, 1e6, 1e6)).export(tmp_path / "large.stl")
    refuse_here(tmp_path / "large.stl", r"1.01e\+04 m across in mm \(assumed.*between 0.1 mm and 20 m.*units")
    trimesh.creation.box((0.006, 0.006, 0.006)).export(tmp_path / "small.stl")
    message = refuse_here(tmp_path / "small.stl", "1.04e-05 m across in mm.*between 0.1 mm and 20 m")
    assert "cm or m or inch" in message  # units in which 0.006 would be a part


def test_a_step_file_in_kilometres_is_only_looked_at_coarsely(data, tmp_path, monkeypatch):
    text = (data / "drilled_box_mm.step").read_text()
    assert "SI_UNIT(.MILLI.,.METRE.)" in text
    path = written(tmp_path / "km.step", text.replace("SI_UNIT(.MILLI.,.METRE.)", "SI_UNIT(.KILO.,.METRE.)"))
    tolerances_mm = []

    def run(data, how, real=brep._run):
        tolerances_mm.append(how.linear_mm)
        return real(data, how)

    monkeypatch.setattr(brep, "_run", run)
    refuse_here(path, r"m across in km \(as the file says\); expected between")
    assert min(tolerances_mm) > 1e4  # at the tolerance of a part this one would take minutes


def test_nan_vertices(tmp_path):
    mesh = trimesh.creation.box((10, 20, 30))
    rows = [f"v {x} {y} {z}" for x, y, z in mesh.vertices]
    rows[3] = "v nan 1 1"
    rows += ["f " + " ".join(str(i + 1) for i in triangle) for triangle in mesh.faces]
    refuse_here(written(tmp_path / "nan.obj", "\n".join(rows)), "not numbers")


def test_triangle_limit_gives_advice(data, tmp_path):
    message = refuse(data / "loft.step", "more than the limit of 100", limits=Limits(triangles=100))
    assert "unit" in message
    assert "tolerance" in message
    trimesh.creation.icosphere(subdivisions=3).export(tmp_path / "ball.stl")
    refuse_here(tmp_path / "ball.stl", "1280 triangles, more than the limit of 100", limits=Limits(triangles=100))


def test_faces_beyond_what_a_picture_can_number(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.parts.check.MOST_FACES", 5)
    trimesh.creation.box((10, 20, 30)).export(tmp_path / "box.stl")
    refuse_here(tmp_path / "box.stl", "has 6 faces, more than the 5")


def test_time_limit_stops_the_process_and_leaves_nothing(data, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = children(os.getpid())
    refuse(data / "ring.step", "longer than the limit of 0.05 s", limits=Limits(seconds=0.05))
    assert list(tmp_path.iterdir()) == []
    assert set(children(os.getpid())) <= set(before)  # no new child is left, alive or as a zombie


def test_a_full_temporary_folder_is_the_machines_fault(data, tmp_path, monkeypatch):
    def full(*arguments):
        return SimpleNamespace(free=4096)

    monkeypatch.setattr("pipeline.parts.read.shutil.disk_usage", full)
    monkeypatch.setattr("pipeline.parts.read.sys.executable", "/bin/false")  # the reading process ends without a word
    with pytest.raises(EnvironmentProblem, match=r"room for temporary files in .* set TMPDIR"):
        read_part(data / "ring.step", units=None, tolerance=Tolerance(), limits=Limits())


def test_memory_limit(data):
    tolerance = Tolerance(linear_m=1e-8, angular_rad=0.001)
    limits = Limits(memory_bytes=600 * 2**20, seconds=60)
    refuse(data / "ring.step", "more than the limit of 0.586 GiB", limits=limits, tolerance=tolerance)


def test_kernel_chatter_does_not_reach_the_terminal(data, tmp_path, capfd):
    read_part(data / "drilled_box_inch.igs", units=None, tolerance=Tolerance(), limits=Limits())
    refuse(written(tmp_path / "part.step", "hello"), "not a STEP file")
    assert capfd.readouterr() == ("", "")


def test_tolerances_must_be_positive():
    with pytest.raises(ValueError, match="positive"):
        Tolerance(linear_m=0.0)
    with pytest.raises(ValueError, match="positive"):
        Tolerance(angular_rad=float("nan"))
