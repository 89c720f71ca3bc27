"""Making lamps and unlit pieces out of meshes, and the materials that rooms are built of.

Covers: short constructors for `LampMesh` and `SurroundingMesh`. Does not cover: where the pieces stand.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.light.lamps import LampMesh, SurroundingMesh
from pipeline.light.shapes import Mesh, turned
from pipeline.surface.material import EmitterMaterial, Glow, PlainMaterial, Rgb, Stripes

HOUSING_GREY: Rgb = (0.025, 0.025, 0.027)
"""Black lacquer and cloth of lamp housings and camera bodies."""

FLAG_BLACK: Rgb = (0.008, 0.008, 0.008)
"""Black velvet and duvetyn."""


def lamp(
    light_id: str,
    kind: str,
    group: str,
    mesh: Mesh,
    radiance: Rgb,
    *,
    glow: Glow | None = None,
    stripes: Stripes | None = None,
) -> LampMesh:
    """A glowing *mesh* with *radiance* relative to the other lamps of its rig or room."""
    material = EmitterMaterial(name=light_id, radiance=radiance, stripes=stripes, glow=glow)
    return LampMesh(light_id, kind, group, material, mesh.vertices, mesh.triangles, camera_visible=True)


def piece(
    label: str, mesh: Mesh, color: Rgb, *, roughness: float = 0.6, mottle: float = 0.05, mottle_scale_m: float = 0.15
) -> SurroundingMesh:
    """An unlit *mesh* with a painted surface of linear reflectance *color*."""
    material = PlainMaterial(
        name=_material_name(label, color, roughness),
        base_color=color,
        roughness=roughness,
        ior=1.5,
        mottle=mottle,
        mottle_scale_m=mottle_scale_m,
    )
    return SurroundingMesh(label, material, mesh.vertices, mesh.triangles)


def _material_name(label: str, color: Rgb, roughness: float) -> str:
    numbers = "-".join(f"{round(1000 * value):03d}" for value in (*color, roughness))
    return f"{label}-{numbers}"


def housing(mesh: Mesh) -> SurroundingMesh:
    """The dark body of a lamp."""
    return piece("lamp_housing", mesh, HOUSING_GREY, roughness=0.5, mottle=0.0)


def flag(mesh: Mesh) -> SurroundingMesh:
    """A photographer's flag: matt black cloth that metal mirrors as a dark edge."""
    return piece("flag", mesh, FLAG_BLACK, roughness=0.95, mottle=0.0)


def dimmed(lamp_mesh: LampMesh, factor: float) -> LampMesh:
    """*lamp_mesh* with its radiance multiplied by *factor*."""
    red, green, blue = lamp_mesh.material.radiance
    radiance = (red * factor, green * factor, blue * factor)
    return replace(lamp_mesh, material=replace(lamp_mesh.material, radiance=radiance))


def polarised(lamp_mesh: LampMesh, mirrored: float) -> LampMesh:
    """*lamp_mesh* whose mirrored light the polarisers multiply by *mirrored* (`polarisers.Polarisers`)."""
    return replace(lamp_mesh, material=replace(lamp_mesh.material, mirrored=mirrored))


def turned_lamp(lamp_mesh: LampMesh, yaw_rad: float, scale: float) -> LampMesh:
    """*lamp_mesh* scaled about the origin and turned about the vertical."""
    mesh = turned(Mesh(lamp_mesh.vertices, lamp_mesh.triangles), yaw_rad, scale)
    return replace(lamp_mesh, vertices=mesh.vertices)


def turned_piece(surrounding: SurroundingMesh, yaw_rad: float, scale: float) -> SurroundingMesh:
    """*surrounding* scaled about the origin and turned about the vertical."""
    mesh = turned(Mesh(surrounding.vertices, surrounding.triangles), yaw_rad, scale)
    return replace(surrounding, vertices=mesh.vertices)
