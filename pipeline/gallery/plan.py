"""What the gallery shows: one tile per entry of each table, and the scene that is rendered for it.

Covers: the sections, and a dataset spec of one scene per tile. Does not cover: rendering (`tiles`), pictures and page
(`sheets`). A tile's spec is scenes/gallery.toml with a few keys changed, so that tiles differ by their entry alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import InputError
from pipeline.spec.films import fits
from pipeline.spec.load import spec_of
from pipeline.spec.model import DatasetSpec
from pipeline.tables import names, table

Changes = dict[str, Any]
"""Keys of a spec, nested as in the file; a table of weights replaces the one that was there."""

_KINDS: Final = ("plane", "cylinder", "cone", "torus")
"""Kinds of face that the gallery's part has, hollow ones of cylinder and cone."""
_WEIGHTS: Final = ("metals", "finishes", "films", "weights", "kinds", "table")


@dataclass(frozen=True)
class Section:
    """One table of the gallery."""

    name: str
    """Name of its picture, and the word that `--only` takes."""
    title: str
    about: str
    """What is the same in all its tiles, as a sentence."""
    table: str
    """Name of the table in assets/tables."""
    changes: Callable[[str], Changes]
    """From an entry's name to what its tile changes in the spec."""


@dataclass(frozen=True)
class Tile:
    """One entry of one table."""

    section: str
    name: str
    desc: str
    """The table's own words."""
    spec: DatasetSpec
    """A dataset of the one scene that is rendered for it."""


def _only(name: str) -> dict[str, float]:
    return {name: 1.0}


def metal_for(film: str) -> str:
    """The metal that *film* is shown on: carbon steel where it can lie on that, else the table's first that carries it.

    Raises InputError when no metal carries it.
    """
    for metal in ("steel_carbon", *names("metals")):
        if fits(film, metal):
            return metal
    raise InputError(f'expected a metal for film "{film}", found none that its key `on` matches; mend the films table')


def faces_of(process: str) -> list[Changes]:
    """Rules that give *process* to every face of the gallery's part that it can make."""
    row = table("processes")[process]
    hollow = {"inner": True} if row.get("inside") else {}
    return [{"kind": kind, "process": process, **hollow} for kind in row["fits"] if kind in _KINDS]


SECTIONS: Final = (
    Section(
        "metals",
        "Metals",
        "The same machined part in every metal of the table.",
        "metals",
        lambda name: {"metals": _only(name)},
    ),
    Section(
        "finishes",
        "Finishes",
        "A part of carbon steel. A finish gives every CAD face the process that its role calls for.",
        "finishes",
        lambda name: {"finishes": _only(name)},
    ),
    Section(
        "processes",
        "Processes",
        "One process on every face of the part that it can make; the other faces are machined.",
        "processes",
        lambda name: {"parts": {"flange": {"faces": faces_of(name)}}},
    ),
    Section(
        "films",
        "Films",
        "A satin part of a metal that the film can lie on: carbon steel where it can be.",
        "films",
        lambda name: {"films": _only(name), "finishes": _only("satin"), "metals": _only(metal_for(name))},
    ),
    Section(
        "defects",
        "Defects",
        "Eight defects of a kind on a ground part, larger and worse than usual so that they show; faces from nearer.",
        "defects",
        lambda name: {
            "finishes": _only("ground"),
            "cameras": {"fill": 1.2 if "edge" in table("defects")[name]["on"] else 1.9},
            "defects": {"probability": 1.0, "count": 8, "kinds": _only(name), "severity": 0.95, "size_scale": 3.0},
        },
    ),
    Section(
        "rigs",
        "Rigs",
        "The machined part under every rig, as a camera above it sees it; a polished one mirrors the striped screens.",
        "rigs",
        lambda name: {
            "rigs": {"weights": _only(name)},
            "surroundings": {"illuminance_ratio": 0.1},
            "finishes": _only("polished" if "stripes" in table("rigs")[name] else "machined"),
        },
    ),
    Section(
        "surroundings",
        "Surroundings",
        "A polished part that is lit by the surroundings, next to nothing by the rig.",
        "surroundings",
        lambda name: {
            "finishes": _only("polished"),
            "surroundings": {"weights": _only(name), "illuminance_ratio": 50.0},
        },
    ),
    Section(
        "backgrounds",
        "Backgrounds",
        "What a part can lie on.",
        "supports",
        lambda name: {"arrangement": {"surfaces": {"table": _only(name)}}, "cameras": {"fill": 0.6}},
    ),
)


def sections_named(only: tuple[str, ...]) -> tuple[Section, ...]:
    """The sections called *only*, all when it is empty, in the gallery's order."""
    return tuple(section for section in SECTIONS if not only or section.name in only)


def plan_gallery(base: Path, only: tuple[str, ...], size: tuple[int, int], samples: int) -> tuple[Tile, ...]:
    """Every tile of the sections *only* (all when empty), *size* pixels wide and high, in the tables' order.

    *base* is the spec that tiles are made from. Raises InputError when it, or an entry of a table, is wrong.
    """
    raw = tomllib.loads(base.read_text(encoding="utf-8"))
    frame: Changes = {"cameras": {"resolution": size}, "render": {"samples": samples}}
    return tuple(
        Tile(section.name, name, str(row.get("desc", "")), _spec(raw, base, section, name, frame))
        for section in sections_named(only)
        for name, row in table(section.table).items()
    )


def _spec(raw: Mapping[str, Any], base: Path, section: Section, name: str, frame: Changes) -> DatasetSpec:
    """The spec of one tile. Its dataset's name tells it from the others: scene ids begin with it."""
    title = f"{section.name}-{name}".lower().replace(".", "-")
    own = changed(changed(raw, frame), section.changes(name))
    return spec_of(changed(own, {"dataset": {"name": title[:63]}}), base)


def changed(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """*raw* with *changes* laid over it, table by table; tables of weights are replaced as a whole."""
    result = dict(raw)
    for key, value in changes.items():
        old = result.get(key)
        deeper = isinstance(value, dict) and isinstance(old, dict) and key not in _WEIGHTS
        result[key] = changed(old, value) if deeper and isinstance(old, dict) else value
    return result
