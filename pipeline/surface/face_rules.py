"""Processes that a part declares for some of its faces: which faces a rule means, and whether they can be made so.

Covers: [[parts.<id>.faces]] of the dataset spec, as `FaceRule`. Does not cover: faces without a rule (`finishes`).
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase

from pipeline.errors import InputError
from pipeline.parts.part import Face, Part
from pipeline.spec.scene import FaceRule, ItemSpec
from pipeline.surface.processes import Process, process

COLOR_TOLERANCE = 3
"""Colours match when each 8 bit sRGB channel differs by at most this: CAD kernels round them."""
RADIUS_TOLERANCE_MM = 1e-4
"""Radii match a range with this much to spare: kernels return 3 mm as 2.9999999 mm."""


def check_face_rules(part: Part, item: ItemSpec) -> None:
    """Raise InputError when a rule of *item* cannot be followed on *part*, naming face, value and range.

    That is: an unknown process, an Ra that it does not reach, no face that fits the conditions, a face that the process
    cannot make.
    """
    for rule in item.face_rules:
        _check_ra(item, rule, process(rule.process))
        if not any(matches(part, face, rule) for face in part.info.faces):
            raise InputError(
                f"{_name(item, rule)}: no face of {part.info.source_file} fits; expected one of its faces: "
                f"{describe_faces(part)}"
            )
    for face, first in zip(part.info.faces, rules_of_faces(part, item.face_rules), strict=True):
        if first is not None and (reason := misfit(process(first.process), face)) is not None:
            raise InputError(
                f"{_name(item, first)}: face {describe(face)} of {part.info.source_file} cannot be made by "
                f"{first.process}: {reason}; choose another process, or add conditions that leave this face out"
            )


def rules_of_faces(part: Part, rules: tuple[FaceRule, ...]) -> tuple[FaceRule | None, ...]:
    """By face_id: the first of *rules* whose every condition holds, or None."""
    return tuple(next((rule for rule in rules if matches(part, face, rule)), None) for face in part.info.faces)


def matches(part: Part, face: Face, rule: FaceRule) -> bool:
    """Whether *face* of *part* fulfils every condition of *rule*."""
    if rule.kind is not None and face.kind != rule.kind:
        return False
    if rule.inner is not None and face.inner is not rule.inner:
        return False
    if rule.radius_mm is not None and not _within(face.radius_m, rule.radius_mm):
        return False
    solid = part.info.solids[face.solid_id]
    if rule.name is not None and not any(fnmatchcase(name, rule.name) for name in (face.name or "", solid.name)):
        return False
    color = face.color or solid.color
    return rule.color is None or (color is not None and _same_color(color, rule.color))


def misfit(made_by: Process, face: Face) -> str | None:
    """Why *made_by* cannot make *face*; None when it can."""
    if face.kind not in made_by.fits:
        return f"it makes {_words(made_by.fits)} faces, this one is {face.kind}"
    if made_by.inside and face.inner is False:
        return "it makes hollow faces, this one is convex"
    return None


def describe(face: Face) -> str:
    """A face in words, for example "12 (cylinder, hollow, radius 3 mm)"."""
    words: list[str] = [face.kind]
    if face.inner is not None:
        words.append("hollow" if face.inner else "convex")
    if face.radius_m is not None:
        words.append(f"radius {face.radius_m * 1e3:.4g} mm")
    if face.name:
        words.append(f'name "{face.name}"')
    if face.color is not None:
        words.append("colour " + _hexadecimal(face.color))
    return f"{face.face_id} ({', '.join(words)})"


def describe_faces(part: Part) -> str:
    """Which faces *part* has, equal ones counted: "4 x cylinder, hollow, radius 3 mm; 6 x plane"."""
    counted = Counter(describe(face).split(" (", 1)[1][:-1] for face in part.info.faces)
    common = counted.most_common(12)
    rest = len(counted) - len(common)
    text = "; ".join(f"{count} x {words}" for words, count in common)
    return text + (f"; and {rest} more kinds" if rest > 0 else "")


def _check_ra(item: ItemSpec, rule: FaceRule, made_by: Process) -> None:
    low, _, high = made_by.ra_um
    if rule.ra_um is not None and not low <= rule.ra_um <= high:
        raise InputError(
            f"{_name(item, rule)}: {rule.process} reaches Ra {low:g} to {high:g} um; expected a value in that "
            f"range, found {rule.ra_um:g}"
        )


def _name(item: ItemSpec, rule: FaceRule) -> str:
    fields = ("kind", "radius_mm", "inner", "name", "color")
    given = [f"{field} = {getattr(rule, field)}" for field in fields if getattr(rule, field) is not None]
    return f"part {item.part_id}, faces with {', '.join(given) or 'any kind'}, process = {rule.process}"


def _within(radius_m: float | None, limits_mm: tuple[float, float]) -> bool:
    if radius_m is None:
        return False
    low, high = limits_mm
    return low - RADIUS_TOLERANCE_MM <= radius_m * 1e3 <= high + RADIUS_TOLERANCE_MM


def _same_color(linear: tuple[float, float, float], wanted: str) -> bool:
    channels = zip(_srgb_bytes(linear), bytes.fromhex(wanted.removeprefix("#")), strict=True)
    return all(abs(one - other) <= COLOR_TOLERANCE for one, other in channels)


def _hexadecimal(linear: tuple[float, float, float]) -> str:
    return "#" + bytes(_srgb_bytes(linear)).hex()


def _srgb_bytes(linear: tuple[float, float, float]) -> tuple[int, int, int]:
    """Linear RGB 0..1 as 8 bit sRGB (IEC 61966-2-1)."""
    red, green, blue = (
        round(255.0 * (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1.0 / 2.4) - 0.055))
        for c in (min(max(c, 0.0), 1.0) for c in linear)
    )
    return red, green, blue


def _words(kinds: tuple[str, ...]) -> str:
    return kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} and {kinds[-1]}"
