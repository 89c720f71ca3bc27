"""What a CAD file says about itself before any kernel sees it: format, completeness, length unit, contents.

Covers: the file suffix, the frames of STEP (ISO 10303-21) and IGES 5.3 files, their length units, and which kinds of
entity a STEP file holds. Does not cover: geometry (`brep`, `meshes`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pipeline.errors import InputError

FORMAT_OF_SUFFIX: Final = {
    ".step": "step",
    ".stp": "step",
    ".iges": "iges",
    ".igs": "iges",
    ".stl": "stl",
    ".obj": "obj",
    ".ply": "ply",
    ".glb": "glb",
    ".3mf": "3mf",
}

METRES: Final = {
    "um": 1e-6,
    "mm": 1e-3,
    "cm": 1e-2,
    "dm": 1e-1,
    "m": 1.0,
    "km": 1e3,
    "inch": 0.0254,
    "ft": 0.3048,
    "mil": 2.54e-5,
    "uin": 2.54e-8,
    "mile": 1609.344,
}
"""Length units by our names; the inch is 25.4 mm exactly (international yard and pound agreement, 1959)."""

_ALIASES: Final = {
    "micron": "um",
    "micrometer": "um",
    "micrometre": "um",
    "millimeter": "mm",
    "millimetre": "mm",
    "centimeter": "cm",
    "centimetre": "cm",
    "meter": "m",
    "metre": "m",
    "kilometre": "km",
    "in": "inch",
    "inches": "inch",
    "foot": "ft",
    "feet": "ft",
}

_SI_PREFIX: Final = {"": "m", "MILLI": "mm", "CENTI": "cm", "DECI": "dm", "MICRO": "um", "KILO": "km"}

_IGES_FLAG: Final = {1: "inch", 2: "mm", 4: "ft", 5: "mile", 6: "m", 7: "km", 8: "mil", 9: "um", 10: "cm", 11: "uin"}
"""IGES 5.3, table 2 (global parameter 14, units flag); 3 means that parameter 15 holds the name."""

_SOLID = re.compile(rb"\b(?:MANIFOLD_SOLID_BREP|BREP_WITH_VOIDS|FACETED_BREP|CSG_SOLID|EXTRUDED_AREA_SOLID"
                    rb"|REVOLVED_AREA_SOLID)\s*\(")  # fmt: skip
_SURFACE = re.compile(rb"\b(?:OPEN_SHELL|SHELL_BASED_SURFACE_MODEL|GEOMETRIC_SET)\s*\(")
_CURVES = re.compile(rb"\bGEOMETRIC_CURVE_SET\s*\(")
_ENTITY = re.compile(rb"#(\d+)\s*=\s*([^;]*);")
_STYLE = re.compile(rb"\b(?:CONTEXT_DEPENDENT_)?(?:OVER_RIDING_)?STYLED_ITEM\b")


@dataclass(frozen=True)
class LengthUnit:
    """A length unit and who named it."""

    name: str
    metres: float
    source: str
    """"file", "spec" or "assumed"."""


@dataclass(frozen=True)
class StepContents:
    """What a STEP file declares."""

    unit: LengthUnit
    solids: int
    """Number of solid bodies, not counting repeated instances."""
    surfaces: bool
    """True when there are shells or surfaces that belong to no solid."""
    curve_sets: int
    """Number of sets of free curves and points."""


def file_format(suffix: str) -> str:
    """Our name of the format of a file suffix (with its dot). Raises InputError for one that cannot be read."""
    try:
        return FORMAT_OF_SUFFIX[suffix.lower()]
    except KeyError:
        known = " ".join(FORMAT_OF_SUFFIX)
        raise InputError(f"expected a CAD file ({known}), found the suffix {suffix or '(none)'!r}") from None


def unit_name(text: str) -> str:
    """Our name ("mm", "inch", ...) of a length unit. Raises InputError for an unknown one."""
    name = text.strip().lower()
    name = _ALIASES.get(name, name)
    if name not in METRES:
        raise InputError(f"unknown length unit {text!r}; expected one of {', '.join(METRES)}")
    return name


def choose_unit(in_file: str | None, asked: str | None) -> LengthUnit:
    """The unit of a file: what it says itself, else *asked*, else millimetres.

    Raises InputError when *asked* contradicts the file.
    """
    if in_file is not None:
        if asked is not None and METRES[unit_name(asked)] != METRES[in_file]:
            raise InputError(
                f"the file gives its lengths in {in_file}, but units = {asked!r} was asked for; "
                "leave units out, or correct the file"
            )
        return LengthUnit(in_file, METRES[in_file], "file")
    if asked is not None:
        return LengthUnit(unit_name(asked), METRES[unit_name(asked)], "spec")
    return LengthUnit("mm", METRES["mm"], "assumed")


def read_step_contents(data: bytes, asked_unit: str | None) -> StepContents:
    """Look into the bytes of a STEP file. Raises InputError when they are no whole STEP file."""
    if b"ISO-10303-21" not in data[:2048]:
        raise InputError(
            f"this is not a STEP file: expected ISO-10303-21 at its start, found {_excerpt(data)}; "
            "export the part as STEP AP214 or AP242"
        )
    if b"END-ISO-10303-21" not in data[-4096:]:
        raise InputError(
            "this STEP file is truncated: its last line, END-ISO-10303-21, is missing; copy or export the file again"
        )
    if b"DATA" not in data:
        raise InputError("this STEP file has no DATA section; export the part again")
    return StepContents(
        unit=choose_unit(_step_unit(data), asked_unit),
        solids=len(_SOLID.findall(data)),
        surfaces=_SURFACE.search(data) is not None,
        curve_sets=len(_CURVES.findall(data)),
    )


def read_iges_unit(data: bytes, asked_unit: str | None) -> LengthUnit:
    """Length unit of the bytes of an IGES file. Raises InputError when they are no whole IGES file."""
    lines = data.splitlines()
    sections = {line[72:73] for line in lines if len(line) >= 73}
    if not {b"S", b"G"} <= sections:
        raise InputError(
            f"this is not an IGES file: expected sections S and G in column 73, found {_excerpt(data)}; "
            "export the part again, better as STEP"
        )
    if b"T" not in sections:
        raise InputError("this IGES file is truncated: its last section, T, is missing; copy or export the file again")
    fields = _iges_fields(b"".join(line[:72].ljust(72) for line in lines if line[72:73] == b"G").decode("latin-1"))
    flag = int(fields[13]) if len(fields) > 13 and fields[13].strip().isdigit() else None
    if flag is not None and flag in _IGES_FLAG:
        return choose_unit(_IGES_FLAG[flag], asked_unit)
    named = fields[14].strip().lower() if len(fields) > 14 else ""
    return choose_unit(unit_name(named) if named else None, asked_unit)


def without_styles(data: bytes) -> bytes:
    """The same STEP file with its colour assignments made unreadable, for a kernel call that must see none."""
    return _STYLE.sub(b"GLINT_IGNORES_THIS", data)


def _step_unit(data: bytes) -> str | None:
    """Name of the first length unit that a geometric context of the file uses."""
    context = re.search(rb"GLOBAL_UNIT_ASSIGNED_CONTEXT\s*\(\s*\(([^)]*)\)", data)
    if context is None:
        return None
    wanted = set(re.findall(rb"#(\d+)", context.group(1)))
    for match in _ENTITY.finditer(data):
        if match.group(1) in wanted and b"LENGTH_UNIT" in match.group(2) and b"PLANE_ANGLE" not in match.group(2):
            return _length_unit_name(match.group(2))
    return None


def _length_unit_name(entity: bytes) -> str | None:
    """Our name of a STEP LENGTH_UNIT entity: an SI_UNIT with prefix, or a CONVERSION_BASED_UNIT with a name."""
    converted = re.search(rb"CONVERSION_BASED_UNIT\s*\(\s*'([^']*)'", entity)
    if converted:
        return unit_name(converted.group(1).decode("latin-1"))
    si = re.search(rb"SI_UNIT\s*\(\s*(?:\.(\w+)\.|\$)\s*,\s*\.METRE\.\s*\)", entity)
    return _SI_PREFIX.get((si.group(1) or b"").decode()) if si else None


def _iges_fields(text: str) -> list[str]:
    """The parameters of an IGES global section: Hollerith strings such as 4HINCH, or anything up to a separator."""
    separator, end = ",", ";"
    fields: list[str] = []
    position = 0
    while position < len(text):
        string = re.compile(r"\s*(\d+)H").match(text, position)
        if string:
            start = string.end()
            stop = start + int(string.group(1))
            fields.append(text[start:stop])
            position = stop
            while position < len(text) and text[position] not in separator + end:
                position += 1
        else:
            stop = position
            while stop < len(text) and text[stop] not in separator + end:
                stop += 1
            fields.append(text[position:stop])
            position = stop
        if len(fields) == 1 and fields[0]:
            separator = fields[0]
        elif len(fields) == 2 and fields[1]:
            end = fields[1]
        if position < len(text) and text[position] == end:
            break
        position += 1
    return fields


def _excerpt(data: bytes) -> str:
    """The first few readable characters of a file, for an error message."""
    text = "".join(c if c.isprintable() else " " for c in data[:40].decode("latin-1"))
    return repr(" ".join(text.split()) or "nothing")
