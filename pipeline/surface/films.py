"""Films on a part: which layer lies on its metal, how thick and where.

Covers: the table assets/tables/films to `material.Film` records and plated metals. Does not cover: which metals a film
fits (`spec.films`), what a thin film reflects (`thin_film`), its shader (`render`), grease and rust (`defects`).
"""

from __future__ import annotations

import math
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.parts.part import Part
from pipeline.spec.films import fits
from pipeline.spec.scene import ItemSpec
from pipeline.surface.material import Film, FinishedSurface, MetalMaterial, Vec3
from pipeline.surface.metals import Metal, metal, varied
from pipeline.surface.roughness import ALPHA_RANGE, LARGEST_RATIO
from pipeline.tables import entry, names


def check_film(film: str, on: str) -> None:
    """Raise InputError when the film *film* is unknown or cannot lie on the metal *on*; the error names both."""
    entry("films", film, "film")
    if not fits(film, on):
        fitting = ", ".join(name for name in names("films") if fits(name, on))
        raise InputError(f"film {film!r} does not fit metal {on!r}; expected one of {fitting}")


def cover_with_film(part: Part, surface: FinishedSurface, item: ItemSpec) -> FinishedSurface:
    """*surface* with the film of *item* on all its materials; the same surface when it is bare.

    Deterministic. Raises InputError for an unknown film, or one that does not fit the item's metal.
    """
    check_film(item.film, item.metal)
    row = entry("films", item.film, "film")
    if row["kind"] == "none":
        return surface
    if row["kind"] == "plating":
        top = varied(metal(row["metal"]), item.metal_quantile)
        film = None if "thickness_nm" not in row else _film("interference", row, part, item)
        materials = tuple(_plated(material, top, film, row) for material in surface.materials)
    else:
        film = _film(row["kind"], row, part, item)
        materials = tuple(replace(material, film=film) for material in surface.materials)
    return replace(surface, materials=materials)


def _film(kind: Any, row: dict[str, Any], part: Part, item: ItemSpec) -> Film:
    """The film of *item*: its quantile is where it lies in each of the row's ranges."""

    def at(key: str) -> float:
        low, high = row.get(key, (0.0, 0.0))
        return float(low + item.film_quantile * (high - low))

    red, green, blue = (float(v) for v in row.get("color", (1.0, 1.0, 1.0)))
    words = [item.instance_id, zlib.crc32(item.film.encode()), int(item.film_quantile * 2**32)]
    return Film(
        name=item.film,
        kind=kind,
        ior=float(row["ior"]),
        thickness_nm=at("thickness_nm"),
        seam=_seam(part, item.film_quantile) if "seam_nm" in row else None,
        seam_thickness_nm=at("seam_nm"),
        seam_decay_m=at("seam_decay_mm") * 1e-3,
        roughness=at("roughness"),
        color=(red, green, blue),
        level=bool(row.get("level", False)),
        peel_m=row.get("peel_mm", 0.0) * 1e-3,
        peel_slope=row.get("peel_slope", 0.0),
        coverage=at("coverage") if "coverage" in row else 1.0,
        patch_m=row.get("patch_mm", 0.0) * 1e-3,
        variation=row.get("variation", 0.0),
        seed=int(np.random.SeedSequence(words).generate_state(1)[0] >> 1),
    )


def _seam(part: Part, quantile: float) -> tuple[Vec3, Vec3]:
    """Ends of a weld on the largest face, plane where there is one: its middle line, or one of its long edges."""
    planes = [face for face in part.info.faces if face.kind == "plane"]
    largest = max(planes or part.info.faces, key=lambda face: face.area_m2)
    used = part.triangles[part.face_of_triangle == largest.face_id]
    points = part.vertices[np.unique(used)].astype(np.float64)
    centre = points.mean(axis=0)
    _, _, directions = np.linalg.svd(points - centre, full_matrices=False)
    along, aside = directions[0], directions[1]
    reach, width = (points - centre) @ along, (points - centre) @ aside
    offset = (width.min(), 0.5 * (width.min() + width.max()), width.max())[min(int(quantile * 3.0), 2)]
    start, end = (centre + offset * aside + value * along for value in (reach.min(), reach.max()))
    return _vec3(start), _vec3(end)


def _vec3(values: NDArray[np.float64]) -> Vec3:
    x, y, z = (float(v) for v in values)
    return x, y, z


def _plated(material: MetalMaterial, top: Metal, film: Film | None, row: dict[str, Any]) -> MetalMaterial:
    """*material* under a plate of *top*: slopes times the levelling factor, and the plate's own grain in square."""
    levelling, grain = float(row["levelling"]), float(row["alpha"])

    def alphas(across: float, along: float) -> tuple[float, float]:
        low, high = ALPHA_RANGE
        pair = [min(max(math.hypot(levelling * alpha, grain), low), high) for alpha in (across, along)]
        return pair[0], min(max(pair[1], pair[0] / LARGEST_RATIO), pair[0])

    across, along = alphas(material.alpha_across, material.alpha_along)
    return replace(
        material,
        metal=top.name,
        ior=top.ior,
        extinction=top.extinction,
        alpha_across=across,
        alpha_along=along,
        micro_alpha=None if material.micro_alpha is None else alphas(*material.micro_alpha),
        relief=tuple(
            replace(one, slope_across=levelling * one.slope_across, slope_along=levelling * one.slope_along)
            for one in material.relief
        ),
        film=film,
    )
