"""Panels: the pictures that show everything known about one view, each with a title and a legend.

Covers: masks and boxes, highlights by lamp, defects, the reflected-source map, cast light, depth, normals, CAD faces,
light groups. A layer that cannot be read becomes a panel that says why. Does not cover: pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import read_exr, read_ids
from pipeline.layers import read_cast_light, read_light
from pipeline.report import draw
from pipeline.report.carried import carried_rows
from pipeline.report.charts import counted
from pipeline.report.data import BuildTables, Row
from pipeline.report.draw import Color, Picture
from pipeline.report.edge_panels import edge_panels
from pipeline.report.panel import Legend, Panel, guarded
from pipeline.report.reflection_panels import reflection_panels

VIEW_COLUMNS: Final = (
    "view_id",
    "scene_id",
    "view_index",
    "width",
    "height",
    "layers_path",
    "depth_path",
    "normal_path",
    "instance_path",
    "face_path",
    "cast_light_path",
    "rough_reflection_path",
)
INSTANCE_COLUMNS: Final = (
    "view_id",
    "instance_id",
    "part_id",
    "category",
    "metal",
    "bbox_visible",
    "visible_fraction",
    "mask_rle",
)
HIGHLIGHT_COLUMNS: Final = ("photo_id", "instance_id", "light_id", "light_kind", "area_px", "mask_rle")
DEFECT_COLUMNS: Final = ("view_id", "instance_id", "defect_id", "kind", "visible", "area_px", "mask_rle")
REFLECTION_COLUMNS: Final = ("view_id", "instance_id", "reflected_kind", "reflected_id", "area_px", "mask_rle")

CAST_LIGHT_COLUMNS: Final = ("view_id", "instance_id", "area_px", "peak_contrast", "mask_rle")

_LEGEND_ENTRIES: Final = 7
_LIGHTS: Final[tuple[Color, ...]] = ((255, 196, 60), (255, 132, 48), (255, 232, 150), (235, 92, 72), (214, 168, 20))
_PARTS: Final[tuple[Color, ...]] = ((0, 176, 132), (120, 200, 80), (60, 210, 190), (30, 130, 90), (170, 222, 140))
_SURROUNDINGS: Final[tuple[Color, ...]] = (
    (82, 116, 190),
    (158, 170, 190),
    (50, 70, 120),
    (120, 160, 230),
    (96, 100, 112),
)
_SELF: Final[tuple[Color, ...]] = ((206, 98, 190),)
_KINDS: Final = {"light": _LIGHTS, "part": _PARTS, "self": _SELF, "surroundings": _SURROUNDINGS}


def photo_picture(tables: BuildTables, photo: Row) -> Picture:
    """The photo itself, RGB. Raises OSError when the file is missing or damaged."""
    return draw.read_picture(tables.file(str(photo["image_path"])).read_bytes())


def labelled_picture(picture: Picture, instances: Sequence[Row]) -> Picture:
    """The photo with instance masks, boxes and category names; instances of another size than the photo are skipped."""
    shown = [row for row in instances if row["bbox_visible"] is not None]
    decoded = [masks.decode(str(row["mask_rle"])) for row in shown]
    pairs = [(row, mask) for row, mask in zip(shown, decoded, strict=True) if mask.shape == picture.shape[:2]]
    colors = [draw.color_of(int(row["instance_id"]) - 1) for row, _ in pairs]
    tinted = draw.with_masks(picture, [mask for _, mask in pairs], colors)
    return draw.with_boxes(
        tinted, [row["bbox_visible"] for row, _ in pairs], [str(row["category"]) for row, _ in pairs], colors
    )


def view_panels(tables: BuildTables, view: Row, photo: Row | None) -> list[Panel]:
    """Every panel of one view; *photo* is the exposure on which masks and highlights are drawn, None without one."""
    instances = tables.rows("instances", INSTANCE_COLUMNS, ("view_id", [view["view_id"]]))
    reflections = tables.rows("reflections", REFLECTION_COLUMNS, ("view_id", [view["view_id"]]))
    panels: list[Panel] = []
    picture: Picture | None = None
    if photo is not None:
        panels += _photo_panels(tables, photo, instances)
        picture = panels[0].picture
    panels.append(guarded("What the metal shows", lambda: _reflection_panel(view, reflections)))
    panels += reflection_panels(tables, view, photo, picture)
    if view["cast_light_path"] is not None:
        panels.append(guarded("Cast light", lambda: _cast_light_panel(tables, view)))
    panels.append(guarded("Depth", lambda: _depth_panel(tables, view)))
    panels.append(guarded("Normals", lambda: _normal_panel(tables.file(view["normal_path"]))))
    panels.append(guarded("CAD faces", lambda: _face_panel(tables, view)))
    panels += [guarded(title, make) for title, make in edge_panels(tables, view)]
    return [*panels, *_group_panels(tables, view)]


def _photo_panels(tables: BuildTables, photo: Row, instances: Sequence[Row]) -> list[Panel]:
    title = f"Photo {photo['photo_id']}"
    first = guarded(title, lambda: Panel(title, _exposure(photo), photo_picture(tables, photo)))
    if first.picture is None:
        return [first]
    picture = first.picture
    highlights = tables.rows("highlights", HIGHLIGHT_COLUMNS, ("photo_id", [photo["photo_id"]]))
    seen = sum(row["bbox_visible"] is not None for row in instances)
    return [
        first,
        guarded(
            "Instances",
            lambda: Panel(
                "Instances",
                f"{seen} of {len(instances)} seen",
                labelled_picture(picture, carried_rows(tables, photo, instances)),
            ),
        ),
        guarded("Highlights", lambda: _highlight_panel(picture, highlights)),
        *_defect_panels(tables, photo, picture),
    ]


def _defect_panels(tables: BuildTables, photo: Row, picture: Picture) -> list[Panel]:
    """One panel of all defects by kind, none where the view has no defects."""
    defects = tables.rows("defects", DEFECT_COLUMNS, ("view_id", [photo["view_id"]]))
    return [guarded("Defects", lambda: _defect_panel(picture, carried_rows(tables, photo, defects)))] if defects else []


def _defect_panel(picture: Picture, defects: Sequence[Row]) -> Panel:
    kinds = sorted({str(row["kind"]) for row in defects})
    colors = {kind: draw.color_of(place) for place, kind in enumerate(kinds)}
    seen = [row for row in defects if row["visible"]]
    shapes = [masks.decode(str(row["mask_rle"])) for row in seen]
    drawn = draw.with_masks(draw.muted(picture), shapes, [colors[str(row["kind"])] for row in seen], fill=0.75)
    areas = {kind: sum(int(row["area_px"]) for row in seen if row["kind"] == kind) for kind in kinds}
    legend = tuple(Legend(colors[kind], f"{kind}, {areas[kind]:,} px") for kind in _largest(areas))
    return Panel("Defects", f"{len(seen)} of {counted(len(defects), 'defect')} seen", drawn, legend)


def _exposure(photo: Row) -> str:
    words = [f"{photo['exposure_ev']:+.1f} EV"] if photo["exposure_ev"] is not None else []
    if photo["clipped_fraction"] is not None:
        words.append(f"{photo['clipped_fraction']:.1%} clipped")
    words += [str(photo[name]) for name in ("sensor", "tone") if photo[name]]
    return ", ".join(words)


def _highlight_panel(picture: Picture, highlights: Sequence[Row]) -> Panel:
    lights = sorted({str(row["light_id"]) for row in highlights})
    colors = {light: _LIGHTS[place % len(_LIGHTS)] if len(lights) <= len(_LIGHTS) else draw.color_of(place)
              for place, light in enumerate(lights)}  # fmt: skip
    shapes = [masks.decode(str(row["mask_rle"])) for row in highlights]
    drawn = draw.with_masks(
        draw.muted(picture), shapes, [colors[str(row["light_id"])] for row in highlights], fill=0.75
    )
    areas = {light: sum(int(r["area_px"]) for r in highlights if r["light_id"] == light) for light in lights}
    legend = tuple(Legend(colors[light], f"{light}, {areas[light]:,} px") for light in _largest(areas))
    return Panel(
        "Highlights", f"{counted(len(highlights), 'mirror image')} of {counted(len(lights), 'lamp')}", drawn, legend
    )


def _largest(areas: dict[str, int]) -> list[str]:
    return sorted(areas, key=lambda name: (-areas[name], name))[:_LEGEND_ENTRIES]


def _reflection_panel(view: Row, reflections: Sequence[Row]) -> Panel:
    areas: dict[tuple[str, str], int] = {}
    for row in reflections:
        source = (str(row["reflected_kind"]), "" if row["reflected_kind"] == "self" else str(row["reflected_id"]))
        areas[source] = areas.get(source, 0) + int(row["area_px"])
    order = sorted(areas, key=lambda source: (-areas[source], source))
    colors: dict[tuple[str, str], Color] = {}
    for source in order:
        shades = _KINDS.get(source[0], _SELF)
        colors[source] = shades[sum(known[0] == source[0] for known in colors) % len(shades)]
    keys = [
        (str(row["reflected_kind"]), "" if row["reflected_kind"] == "self" else str(row["reflected_id"]))
        for row in reflections
    ]
    shapes = [masks.decode(str(row["mask_rle"])) for row in reflections]
    drawn = draw.painted((int(view["height"]), int(view["width"])), shapes, [colors[key] for key in keys])
    total = max(1, sum(areas.values()))
    legend = [Legend(colors[source], f"{_source_name(source)}, {areas[source] / total:.0%}") for source in order]
    note = f"{counted(len(order), 'source')}, by the mirror ray of each pixel" if order else "no reflections recorded"
    return Panel("What the metal shows", note, drawn, tuple(legend[:_LEGEND_ENTRIES]))


def _cast_light_panel(tables: BuildTables, view: Row) -> Panel:
    """The radiance that metal throws onto its neighbourhood, brightened, with its patches tinted by who throws them."""
    groups, _ = read_cast_light(tables.file(view["cast_light_path"]))
    radiance = np.sum(list(groups.values()), axis=0, dtype=np.float32)
    white = float(np.percentile(radiance.max(axis=-1), 99.5))
    rows = tables.rows("cast_light", CAST_LIGHT_COLUMNS, ("view_id", [view["view_id"]]))
    throwers = sorted({int(row["instance_id"]) for row in rows})
    colors = {thrower: draw.color_of(thrower - 1) for thrower in throwers}
    shapes = [masks.decode(str(row["mask_rle"])) for row in rows]
    drawn = draw.with_masks(draw.srgb(radiance, 1.0 / white if white > 0.0 else 1.0), shapes,
                            [colors[int(row["instance_id"])] for row in rows], fill=0.2)  # fmt: skip
    areas = {str(t): sum(int(row["area_px"]) for row in rows if row["instance_id"] == t) for t in throwers}
    legend = tuple(Legend(colors[int(name)], f"from instance {name}, {areas[name]:,} px") for name in _largest(areas))
    return Panel("Cast light", f"{counted(len(rows), 'patch', 'patches')} where it is seen", drawn, legend)


def _source_name(source: tuple[str, str]) -> str:
    kind, name = source
    return {"self": "the part itself", "part": f"part {name}"}.get(kind, name)


def _depth_panel(tables: BuildTables, view: Row) -> Panel:
    """Depth in colours that span the parts; what is nearer or farther has the end colours."""
    depth = next(iter(read_exr(tables.file(view["depth_path"])).values()))
    inside = depth > 0
    parts = inside & (read_ids(tables.file(view["instance_path"])) > 0)
    low, high = draw.value_range(depth, parts if parts.any() else inside)
    picture = draw.false_color(depth, inside, low, high)
    ends = (Legend((253, 231, 37), f"{low:.3f} m"), Legend((68, 1, 84), f"{high:.3f} m"))
    return Panel("Depth", "along the camera's axis, colours span the parts", picture, ends)


def _vectors(path: Path) -> NDArray[np.float32]:
    """(h, w, 3) from an EXR whose channels end in X, Y, Z (or R, G, B)."""
    channels = read_exr(path)
    by_axis = {name.rsplit(".", 1)[-1].upper(): values for name, values in channels.items()}
    axes = "XYZ" if "X" in by_axis else "RGB"
    return np.stack([by_axis[axis] for axis in axes], axis=-1)


def _normal_panel(path: Path) -> Panel:
    return Panel("Normals", "red right, green up, blue to the lens", draw.normal_colors(_vectors(path)))


def _face_panel(tables: BuildTables, view: Row) -> Panel:
    faces = read_ids(tables.file(view["face_path"])).astype(np.int64)
    instances = read_ids(tables.file(view["instance_path"])).astype(np.int64)
    ids = np.where(faces > 0, faces + 131 * instances, 0)
    picture = draw.shaded(draw.id_colors(ids), -_vectors(tables.file(view["normal_path"]))[..., 2])
    picture[ids == 0] = draw.BACKGROUND
    return Panel("CAD faces", f"{counted(len(np.unique(ids[ids > 0])), 'B-rep face')} in sight", picture)


def _group_panels(tables: BuildTables, view: Row) -> list[Panel]:
    """One panel per light group; each is brightened to the same level and says by how much."""
    try:
        folder = tables.file(view["layers_path"]).parent
        groups = {name.partition(".")[2]: image for name, image in read_light(folder)[0].items()}
        level = max((_white(image) for image in groups.values()), default=1.0)
    except (OSError, KeyError, ValueError) as error:
        return [Panel("Light groups", f"cannot be drawn: {error}", None)]
    panels = []
    for name, image in groups.items():
        white = _white(image)
        note = f"{np.log2(white / level):+.1f} EV against the brightest group" if white > 0 else "dark"
        panels.append(Panel(f"Light: {name}", note, draw.srgb(image, 0.8 / white if white > 0 else 1.0)))
    return panels


def _white(image: NDArray[np.float32]) -> float:
    """Radiance that is shown nearly white: the 98th percentile."""
    return float(np.percentile(np.nan_to_num(image).max(axis=-1), 98.0))
