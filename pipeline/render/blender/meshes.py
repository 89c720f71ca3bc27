"""Meshes in Blender: arrays to mesh objects that render the same bits every time.

Blender computes smooth normals in parallel, in an order that varies, and mirrors amplify the last bits. So every
smooth mesh carries its normals as a float-vector point attribute named `custom_normal`, which Blender takes as they
are; meshes without normals are shaded flat, which needs no computation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import bpy
import mathutils
import numpy as np
from numpy.typing import NDArray

SLOT_ATTRIBUTE: Final = "material_slot"
FIRST_MATERIAL: Final = "first_material"
_NUMBER: Final = "job_number"
VECTOR_ATTRIBUTES = ("lay", "lay_axis", "lay_origin", "groove")


def build_mesh(name: str, arrays: Mapping[str, NDArray[Any]]) -> bpy.types.Mesh:
    """A Blender mesh from a job's arrays, with empty material slots that `dress` fills for each object.

    Float attributes `cad_face` (face_id + 1) and `material_slot` (slot + 1) lie on its faces, for the truth layers.
    """
    mesh = bpy.data.meshes.new(name)
    triangles = np.ascontiguousarray(arrays["triangles"], dtype=np.int32)
    _set_geometry(mesh, arrays["vertices"], triangles)
    slot: NDArray[np.int32] = np.ascontiguousarray(arrays["slot"], dtype=np.int32)
    for _ in np.unique(slot):
        mesh.materials.append(None)
    mesh.polygons.foreach_set("material_index", slot)
    _face_values(mesh, SLOT_ATTRIBUTE, slot + 1)
    _face_values(mesh, "cad_face", arrays.get("face", np.zeros(len(triangles))))
    for attribute in VECTOR_ATTRIBUTES:
        if attribute in arrays:
            _vertex_vectors(mesh, attribute, arrays[attribute])
    if "normals" in arrays:
        _vertex_vectors(mesh, "custom_normal", arrays["normals"])
    else:
        mesh.polygons.foreach_set("use_smooth", np.zeros(len(triangles), dtype=bool))
    mesh.update(calc_edges=True)
    return mesh


def _set_geometry(mesh: bpy.types.Mesh, vertices: NDArray[Any], triangles: NDArray[np.int32]) -> None:
    count = len(triangles)
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(vertices, dtype=np.float32).ravel())
    mesh.loops.add(count * 3)
    mesh.loops.foreach_set("vertex_index", triangles.ravel())
    mesh.polygons.add(count)
    mesh.polygons.foreach_set("loop_start", np.arange(0, count * 3, 3, dtype=np.int32))


def _face_values(mesh: bpy.types.Mesh, name: str, values: NDArray[Any]) -> None:
    attribute = mesh.attributes.new(name, "FLOAT", "FACE")
    attribute.data.foreach_set("value", np.ascontiguousarray(values, dtype=np.float32))


def _vertex_vectors(mesh: bpy.types.Mesh, name: str, vectors: NDArray[Any]) -> None:
    attribute = mesh.attributes.new(name, "FLOAT_VECTOR", "POINT")
    attribute.data.foreach_set("vector", np.ascontiguousarray(vectors, dtype=np.float32).ravel())


def dress(obj: bpy.types.Object, first: int, materials: Sequence[bpy.types.Material]) -> None:
    """Give the slots of *obj* the *materials* from number *first* on, in this object only: its mesh may be shared."""
    for number, slot in enumerate(obj.material_slots):
        slot.link = "OBJECT"
        slot.material = materials[first + number]
    obj[FIRST_MATERIAL] = float(first)


def number_materials(materials: Sequence[bpy.types.Material]) -> None:
    """Mark the job's *materials* with their numbers: Blender may change names, and sorts by them."""
    for number, material in enumerate(materials):
        material[_NUMBER] = number


def job_materials() -> list[bpy.types.Material]:
    """The materials that `number_materials` marked, in order."""
    return sorted((m for m in bpy.data.materials if _NUMBER in m), key=lambda material: int(material[_NUMBER]))


def place(obj: bpy.types.Object, world_from_object: tuple[float, ...]) -> None:
    """Set an object's pose from 16 row-major numbers."""
    rows = np.array(world_from_object, dtype=np.float64).reshape(4, 4)
    obj.matrix_world = mathutils.Matrix(rows.tolist())
