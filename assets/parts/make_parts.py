"""Draw every STEP part of this folder: `python assets/parts/make_parts.py [NAME ...]`.

Needs cadquery 2.8.0 with cadquery-ocp 7.9.3.1.1 in an environment of its own; Glint never imports it:

    python3.13 -m venv .venv-cad && .venv-cad/bin/pip install cadquery==2.8.0 cadquery-ocp==7.9.3.1.1
    .venv-cad/bin/python assets/parts/make_parts.py

Writes NAME.step beside this file and `parts.json`, which lists what the kernel says about each part (volume, box,
bodies). Two runs with these versions give the same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cadquery as cq
from drawing import assemblies, bladed, fasteners, milled_parts, turned_parts
from drawing.step_file import Body, write_step

HERE = Path(__file__).resolve().parent
LICENCE = "CC0-1.0"


class Drawing(NamedTuple):
    """One part: the family it stands for, the function that draws it and the unit its file is written in."""

    family: str
    draw: Callable[[], cq.Workplane | list[Body]]
    units: str = "mm"


DRAWINGS: dict[str, Drawing] = {
    "flange": Drawing("flange", turned_parts.flange),
    "stepped_shaft": Drawing("shaft", turned_parts.stepped_shaft),
    "spur_gear": Drawing("gear", bladed.spur_gear),
    "hex_bolt": Drawing("bolt", fasteners.hex_bolt),
    "hex_nut": Drawing("nut", fasteners.hex_nut),
    "socket_screw": Drawing("screw", fasteners.socket_screw),
    "bearing_housing": Drawing("housing", milled_parts.bearing_housing),
    "ribbed_bracket": Drawing("bracket", milled_parts.ribbed_bracket),
    "sheet_angle": Drawing("sheet metal", milled_parts.sheet_angle),
    "manifold_block": Drawing("manifold", milled_parts.manifold_block),
    "turbine_wheel": Drawing("turbine", bladed.turbine_wheel),
    "v_belt_pulley": Drawing("pulley", turned_parts.pulley),
    "washer": Drawing("washer", turned_parts.washer),
    "flanged_bushing": Drawing("bushing", turned_parts.bushing),
    "connecting_rod": Drawing("connecting rod", milled_parts.connecting_rod),
    "ball_stud": Drawing("ball stud", turned_parts.ball_stud),
    "heat_sink": Drawing("heat sink", milled_parts.heat_sink),
    "shaft_assembly": Drawing("assembly", assemblies.shaft_assembly),
    "npt_fitting": Drawing("fitting", turned_parts.npt_fitting, "inch"),
    "tooling_plate": Drawing("plate", milled_parts.imperial_plate, "inch"),
}


def make(name: str) -> dict[str, Any]:
    """Draw one part, write its STEP file and return its entry of `parts.json`."""
    drawing = DRAWINGS[name]
    drawn = drawing.draw()
    bodies: list[Body] = drawn if isinstance(drawn, list) else [(name, drawn, None)]
    solids = [(body, _only_solid(f"{name}/{body}", shape), rgb) for body, shape, rgb in bodies]
    write_step(HERE / f"{name}.step", name, solids, drawing.units)
    box = cq.Compound.makeCompound([s.val() for _, s, _ in solids]).BoundingBox(1e-4)
    about = (drawing.draw.__doc__ or "").splitlines()[0]
    return {
        "name": name,
        "file": f"{name}.step",
        "family": drawing.family,
        "about": about,
        "units": drawing.units,
        "size_mm": [round(box.xlen, 3), round(box.ylen, 3), round(box.zlen, 3)],
        "bodies": [{"name": body, "volume_mm3": round(s.val().Volume(), 3)} for body, s, _ in solids],
        "licence": LICENCE,
    }


def _only_solid(name: str, shape: cq.Workplane) -> cq.Workplane:
    """The one valid solid of *shape*; stops when the kernel made none, several or a broken one."""
    solids = cq.Compound.makeCompound(shape.vals()).Solids()
    if len(solids) != 1 or not solids[0].isValid():
        raise SystemExit(f"{name}: expected one valid solid, the kernel made {len(solids)}")
    return cq.Workplane(solids[0])


def main(names: list[str]) -> None:
    """Make the named parts, or all of them; entries of `parts.json` that were not made anew stay as they are."""
    listing = HERE / "parts.json"
    known = {p["name"]: p for p in json.loads(listing.read_text(encoding="utf-8"))} if listing.exists() else {}
    for name in names or DRAWINGS:
        known[name] = make(name)
        print(f"{name}: {(HERE / f'{name}.step').stat().st_size / 1000:.0f} kB, {known[name]['size_mm']} mm")
    ordered = [known[name] for name in DRAWINGS if name in known]
    listing.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
