"""The STEP parts that ship with Glint: present, licensed, closed, and of the volume that the CAD kernel says.

The files are read here with cascadio and trimesh directly, not through `pipeline.parts`, so that a fault of a file is
told from a fault of the reader.
"""

from __future__ import annotations

import io
import json
import re
import tomllib
from pathlib import Path

import cascadio
import numpy as np
import pytest
import trimesh

FOLDER = Path(__file__).parents[2] / "assets" / "parts"
PARTS = json.loads((FOLDER / "parts.json").read_text(encoding="utf-8"))
FAMILIES = {
    "flange",
    "shaft",
    "gear",
    "bolt",
    "nut",
    "housing",
    "bracket",
    "sheet metal",
    "manifold",
    "turbine",
    "pulley",
    "washer",
    "bushing",
    "connecting rod",
    "assembly",
}


def bodies_of(file: str) -> dict[str, trimesh.Trimesh]:
    """The bodies of a STEP file by name, welded, in millimetres."""
    glb = cascadio.load((FOLDER / file).read_bytes(), tol_linear=0.05, tol_angular=0.1)
    scene = trimesh.load(io.BytesIO(glb), file_type="glb", merge_primitives=True)
    bodies = {}
    for node in scene.graph.nodes_geometry:
        transform, geometry = scene.graph[node]
        body = scene.geometry[geometry].copy()
        body.apply_transform(transform)
        body.apply_scale(1000)
        body.merge_vertices(merge_tex=True, merge_norm=True)
        # The tip of a cone and the pole of a sphere come as triangles with two equal corners.
        body.update_faces(body.nondegenerate_faces())
        bodies[node] = body
    return bodies


def test_listing_and_folder_agree() -> None:
    assert sorted(p["file"] for p in PARTS) == sorted(path.name for path in FOLDER.glob("*.step"))


def test_there_are_sixty_classes_each_with_a_file_of_its_own_name() -> None:
    classes = [p["class"] for p in PARTS if p["name"] == p["class"]]
    assert len(classes) == len(set(classes)) == 60
    assert {p["class"] for p in PARTS} == set(classes)
    assert len({p["name"] for p in PARTS}) == len(PARTS)
    sizes = [(p["class"], p["size"]) for p in PARTS]
    assert len(set(sizes)) == len(sizes)


def test_fasteners_come_in_several_standard_sizes() -> None:
    for part_class in ("hex_bolt", "hex_nut", "socket_screw", "countersunk_screw", "washer", "dowel_pin"):
        assert sum(p["class"] == part_class for p in PARTS) >= 3


def test_finish_and_metals_are_entries_of_the_tables() -> None:
    tables = FOLDER.parent / "tables"
    finishes = tomllib.loads((tables / "finishes.toml").read_text(encoding="utf-8"))
    metals = json.loads((tables / "metals.json").read_text(encoding="utf-8"))
    for part in PARTS:
        assert part["finish"] in finishes
        assert part["metals"]
        assert set(part["metals"]) <= set(metals)


def test_families_are_covered() -> None:
    assert {p["family"] for p in PARTS} >= FAMILIES
    assert any(p["units"] == "inch" for p in PARTS)
    assert any(len(p["bodies"]) >= 3 for p in PARTS)


def test_folder_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.step")) < 15_000_000


def test_every_file_has_a_licence_row() -> None:
    rows = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    for part in PARTS:
        assert [row for row in rows if row.startswith(f"| `{part['file']}` |") and row.endswith("| CC0-1.0 |")]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part["name"])
def test_part_is_closed_and_has_the_kernels_volume(part: dict) -> None:
    bodies = bodies_of(part["file"])
    assert sorted(bodies) == sorted(body["name"] for body in part["bodies"])
    for body in part["bodies"]:
        mesh = bodies[body["name"]]
        assert mesh.is_watertight
        assert mesh.is_winding_consistent
        assert mesh.volume == pytest.approx(body["volume_mm3"], rel=0.01)
    corners = np.vstack([mesh.bounds for mesh in bodies.values()])
    np.testing.assert_allclose(np.ptp(corners, axis=0), part["size_mm"], atol=0.15)
    assert 10 <= max(part["size_mm"]) <= 250
    assert sum(len(mesh.faces) for mesh in bodies.values()) < 150_000


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part["name"])
def test_header_says_name_unit_and_nothing_of_the_maker(part: dict) -> None:
    text = (FOLDER / part["file"]).read_text(encoding="ascii")
    assert f"FILE_NAME('{part['name']}','2026-01-01T00:00:00',('The Glint authors')" in text
    assert ("CONVERSION_BASED_UNIT('INCH'" in text) == (part["units"] == "inch")
    products = re.findall(r"PRODUCT\('([^']*)'", text)
    assert part["name"] in products
    assert set(products) >= {body["name"] for body in part["bodies"]}


def test_assembly_is_coloured() -> None:
    text = (FOLDER / "shaft_assembly.step").read_text(encoding="ascii")
    assert text.count("STYLED_ITEM('color'") == len(next(p for p in PARTS if p["name"] == "shaft_assembly")["bodies"])
    assert len(set(re.findall(r"COLOUR_RGB\('',([^)]*)\)", text))) >= 3
