"""Take apart the GLB that cascadio makes of a STEP or IGES file.

Covers: the binary container and the scene tree, with each placed mesh's triangles, normals, CAD face numbers and
surface definitions as the kernel wrote them. Does not cover: units and meaning (`brep`), GLB files of users (`meshes`).

Three habits of cascadio 0.1.1 that are handled here: names come UTF-8 encoded twice; of a solid with faces in several
colours only the first group of faces is given the TM_brep_faces extension, while the face numbers of the others lie
in the buffer unreferenced; definitions that the kernel has none for are null.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.parts.topology import count_ids

_DTYPE: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_TRIANGLES: Final = 4
_UNSIGNED_INT: Final = 5125


@dataclass(frozen=True, eq=False)
class KernelPatch:
    """One glTF primitive: faces of one colour of one shape, in the shape's frame and the kernel's length unit."""

    vertices: NDArray[np.float64]
    normals: NDArray[np.float64]
    triangles: NDArray[np.int32]
    face_of_triangle: NDArray[np.int32]
    definitions: tuple[Mapping[str, Any] | None, ...]
    color: tuple[float, float, float] | None


@dataclass(frozen=True, eq=False)
class KernelShape:
    """A mesh node: where it stands, and its patches."""

    name: str
    matrix: NDArray[np.float64]
    """4x4, shape to root."""
    patches: tuple[KernelPatch, ...]
    has_curves: bool


@dataclass(frozen=True, eq=False)
class KernelScene:
    """All mesh nodes of a file in tree order, and the names of nodes with nothing in them."""

    shapes: tuple[KernelShape, ...]
    empty: tuple[str, ...]


def read_kernel_glb(data: bytes) -> KernelScene:
    """Parse the bytes that `cascadio.to_glb_bytes` returned."""
    length = struct.unpack_from("<I", data, 12)[0]
    tree = json.loads(data[20 : 20 + length])
    buffer = data[28 + length :]
    face_numbers = _face_numbers(tree, buffer)
    meshes = [
        (tuple(_patch(tree, buffer, p, face_numbers) for p in mesh["primitives"] if p.get("mode", 4) == _TRIANGLES),
         any(p.get("mode", 4) != _TRIANGLES for p in mesh["primitives"]))
        for mesh in tree.get("meshes", [])
    ]  # fmt: skip
    shapes, empty = [], []
    for node, matrix in _walk(tree):
        if "mesh" in node:
            patches, curves = meshes[node["mesh"]]
            name = _node_name(node, tree["meshes"][node["mesh"]])
            shapes.append(KernelShape(name, matrix, patches, curves))
        elif not node.get("children"):
            empty.append(_repair_name(node.get("name", "")))
    return KernelScene(tuple(shapes), tuple(empty))


def _walk(tree: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], NDArray[np.float64]]]:
    """Every node under the scene's roots with its matrix to the root, parents first."""
    nodes = tree.get("nodes", [])
    roots = tree["scenes"][tree.get("scene", 0)].get("nodes", []) if tree.get("scenes") else []
    stack = [(index, np.eye(4)) for index in reversed(roots)]
    while stack:
        index, parent = stack.pop()
        matrix = parent @ _matrix(nodes[index])
        yield nodes[index], matrix
        stack.extend((child, matrix) for child in reversed(nodes[index].get("children", [])))


def _matrix(node: Mapping[str, Any]) -> NDArray[np.float64]:
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    turn = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] = np.array(turn) * np.array(node.get("scale", (1.0, 1.0, 1.0)))
    matrix[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return matrix


def _patch(
    tree: Mapping[str, Any], buffer: bytes, primitive: Mapping[str, Any], numbers: dict[int, int]
) -> KernelPatch:
    triangles = _array(tree, buffer, primitive["indices"]).reshape(-1, 3).astype(np.int32)
    vertices = _array(tree, buffer, primitive["attributes"]["POSITION"]).astype(np.float64)
    normal_index = primitive["attributes"].get("NORMAL")
    normals = np.zeros_like(vertices) if normal_index is None else _array(tree, buffer, normal_index)
    extension = primitive.get("extensions", {}).get("TM_brep_faces", {})
    accessor = numbers.get(primitive["indices"])
    faces = np.zeros(len(triangles), dtype=np.int32) if accessor is None else _array(tree, buffer, accessor).reshape(-1)
    definitions = list(extension.get("faces", []))
    definitions += [None] * (count_ids(faces) - len(definitions))
    return KernelPatch(
        vertices, normals.astype(np.float64), triangles, faces.astype(np.int32), tuple(definitions),
        _color(tree, primitive),
    )  # fmt: skip


def _face_numbers(tree: Mapping[str, Any], buffer: bytes) -> dict[int, int]:
    """For each primitive (by its index accessor) the accessor of its per-triangle face numbers.

    Those that no primitive names are given, in order, to the primitives that lack one, if their lengths agree.
    """
    accessors = tree.get("accessors", [])
    found: dict[int, int] = {}
    waiting: list[int] = []
    used: set[int] = set()
    for mesh in tree.get("meshes", []):
        for primitive in mesh["primitives"]:
            index = primitive.get("indices")
            used.update([index, *primitive["attributes"].values()])
            extension = primitive.get("extensions", {}).get("TM_brep_faces")
            if extension:
                found[index] = extension["faceIndices"]
            elif primitive.get("mode", 4) == _TRIANGLES and index not in waiting:
                waiting.append(index)
    used.update(found.values())
    spare = [i for i, a in enumerate(accessors) if i not in used and a["componentType"] == _UNSIGNED_INT]
    counts_agree = [accessors[i]["count"] for i in waiting] == [3 * accessors[i]["count"] for i in spare]
    if counts_agree:
        found.update(zip(waiting, spare, strict=True))
    return found


def _array(tree: Mapping[str, Any], buffer: bytes, index: int) -> NDArray[Any]:
    accessor = tree["accessors"][index]
    view = tree["bufferViews"][accessor["bufferView"]]
    width = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}[accessor["type"]]
    offset = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    values = np.frombuffer(buffer, _DTYPE[accessor["componentType"]], accessor["count"] * width, offset)
    return values.reshape(-1, width) if width > 1 else values


def _color(tree: Mapping[str, Any], primitive: Mapping[str, Any]) -> tuple[float, float, float] | None:
    if "material" not in primitive:
        return None
    factor = tree["materials"][primitive["material"]].get("pbrMetallicRoughness", {}).get("baseColorFactor")
    return (float(factor[0]), float(factor[1]), float(factor[2])) if factor else None


def _node_name(node: Mapping[str, Any], mesh: Mapping[str, Any]) -> str:
    """The node's name, or its mesh's where the kernel only numbered the node."""
    name = _repair_name(node.get("name", ""))
    return _repair_name(mesh.get("name", "")) or name if not name or name.isdigit() else name


def _repair_name(name: str) -> str:
    """Undo a second UTF-8 encoding, if there was one."""
    try:
        return name.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return name
