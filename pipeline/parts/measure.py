"""A part in words: what `inspect` prints about it.

Covers: turning a Part's numbers into labelled lines. Does not cover: computing them (`assemble`), printing (`cli`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from pipeline.parts.container import METRES
from pipeline.parts.part import Face, Part, PartInfo, Solid, Symmetries
from pipeline.parts.topology import extent, weld

SAME_POINT: Final = 1e-6
"""Vertices nearer than this share of the part's size count as one."""

_UNITS_SOURCE: Final = {
    "file": "named by the file",
    "spec": "as asked for; the file names none",
    "assumed": "assumed; the file names none",
}


def describe(part: Part) -> tuple[tuple[str, str], ...]:
    """(label, text) lines about *part*, in the order to print them."""
    info = part.info
    lines = [
        ("part", info.name),
        ("file", f"{info.source_file} ({info.file_format.upper()}), sha256 {info.source_sha256[:12]}"),
        ("units", f"{info.units}, {_UNITS_SOURCE[info.units_source]}"),
        ("size", size_text(info)),
        ("diameter", f"{info.diameter_m * 1e3:.4g} mm"),
        ("volume", f"{info.volume_m3 * 1e6:.5g} cm3" + ("" if info.watertight else " (unreliable: not watertight)")),
        ("surface", f"{info.area_m2 * 1e4:.5g} cm2"),
        ("watertight", "yes" if info.watertight else "no: the mesh has gaps"),
        ("euler number", str(euler_number(part))),
        ("solids", f"{len(info.solids)}: " + ", ".join(_solid_text(s) for s in info.solids)),
        ("faces", f"{len(info.faces)}: " + _faces_text(info.faces)),
        ("mesh", f"{len(part.triangles)} triangles, {len(part.vertices)} vertices, {_mesh_text(info)}"),
        ("resting poses", ", ".join(f"{pose.probability:.1%}" for pose in info.resting_poses)),
        ("symmetries", _symmetry_text(info.symmetries)),
    ]
    return (*lines, *(("skipped", sentence) for sentence in info.skipped))


def size_text(info: PartInfo) -> str:
    """The box around the part, in millimetres, and in the file's unit where that is another."""
    sides = [high - low for low, high in zip(*info.bounds_m, strict=True)]
    text = " x ".join(f"{side * 1e3:.4g}" for side in sides) + " mm"
    if info.units == "mm":
        return text
    return f"{text} ({' x '.join(f'{side / METRES[info.units]:.4g}' for side in sides)} {info.units})"


def euler_number(part: Part) -> int:
    """Vertices - edges + triangles of every welded solid, added up: 2 for a ball, 0 for a ring, -2 for two holes."""
    group = weld(part.vertices, SAME_POINT * extent(part.vertices))
    corners = group[part.triangles]
    total = 0
    for solid in range(len(part.info.solids)):
        triangles = np.sort(corners[part.solid_of_triangle == solid], axis=1)
        triangles = triangles[(triangles[:, 0] < triangles[:, 1]) & (triangles[:, 1] < triangles[:, 2])]
        edges = np.unique(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]]]), axis=0)
        total += len(np.unique(triangles)) - len(edges) + len(triangles)
    return total


def _solid_text(solid: Solid) -> str:
    return f"{solid.name} ({solid.volume_m3 * 1e6:.4g} cm3{'' if solid.watertight else ', open'})"


def _faces_text(faces: Sequence[Face]) -> str:
    """Number of faces of each kind with the share of the surface that they have; holes counted apart."""
    whole = sum(face.area_m2 for face in faces)
    parts = []
    for kind, count in Counter(face.kind for face in faces).most_common():
        same = [face for face in faces if face.kind == kind]
        inner = sum(1 for face in same if face.inner)
        share = sum(face.area_m2 for face in same) / whole
        parts.append(f"{count} {kind}{f' ({inner} inner)' if inner else ''} {share:.0%}")
    return ", ".join(parts)


def _mesh_text(info: PartInfo) -> str:
    if not info.exact_normals:
        return "normals from the mesh"
    return f"within {info.tolerance_m * 1e6:.3g} um of the CAD surface, exact normals"


def _symmetry_text(symmetries: Symmetries) -> str:
    found = []
    for axis, _ in symmetries.continuous:
        found.append("any turn about ({:.3g}, {:.3g}, {:.3g})".format(*axis))
    if symmetries.discrete:
        found.append(f"{len(symmetries.discrete)} rotation{'s' if len(symmetries.discrete) > 1 else ''}")
    return " and ".join(found) or "none"
