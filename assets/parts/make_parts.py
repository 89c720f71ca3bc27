"""Draw the STEP parts of this folder: `python assets/parts/make_parts.py [CLASS ...] [--size SIZE]`.

Needs cadquery 2.8.0 with cadquery-ocp 7.9.3.1.1 in an environment of its own; Glint never imports it:

    python3.13 -m venv .venv-cad && .venv-cad/bin/pip install cadquery==2.8.0 cadquery-ocp==7.9.3.1.1
    .venv-cad/bin/python assets/parts/make_parts.py

Writes CLASS.step (the first size of a class) and CLASS_SIZE.step beside this file, `parts.json`, which lists what the
kernel says about each part (volume, box, bodies), and the table in `README.md`. Two runs with these versions give the
same bytes.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import cadquery as cq
from drawing.catalogue import DRAWINGS
from drawing.step_file import Body, write_step

HERE = Path(__file__).resolve().parent
LICENCE = "CC0-1.0"
TABLE_HEAD = (
    "| file | class | family | what it is | size in mm | file's unit | licence |\n|---|---|---|---|---|---|---|\n"
)


def part_name(part_class: str, size: str) -> str:
    """Name of a part's file: the class alone for its first size, else class and size, in lower case."""
    if not size or size == DRAWINGS[part_class].sizes[0]:
        return part_class
    return f"{part_class}_{re.sub('[^a-z0-9]+', '-', size.lower())}"


def make(part_class: str, size: str) -> dict[str, Any]:
    """Draw one part, write its STEP file and return its entry of `parts.json`."""
    drawing, name = DRAWINGS[part_class], part_name(part_class, size)
    try:
        drawn = drawing.draw(size) if size else drawing.draw()
    except KeyError:
        raise SystemExit(f"{part_class}: no size {size!r}; on file are {', '.join(drawing.sizes) or 'none'}") from None
    bodies: list[Body] = drawn if isinstance(drawn, list) else [(name, drawn, None)]
    solids = [(body, _only_solid(f"{name}/{body}", shape), rgb) for body, shape, rgb in bodies]
    write_step(HERE / f"{name}.step", name, solids, drawing.units)
    box = cq.Compound.makeCompound([s.val() for _, s, _ in solids]).BoundingBox(1e-4)
    about = (drawing.draw.__doc__ or "").splitlines()[0]
    return {
        "name": name,
        "file": f"{name}.step",
        "class": part_class,
        "size": size or None,
        "family": drawing.family,
        "about": f"{about.rstrip('.')}; size {size}." if size else about,
        "finish": drawing.finish,
        "metals": list(drawing.metals),
        "units": drawing.units,
        "size_mm": [round(box.xlen, 3), round(box.ylen, 3), round(box.zlen, 3)],
        "bodies": [{"name": body, "volume_mm3": round(s.val().Volume(), 3)} for body, s, _ in solids],
        "licence": LICENCE,
    }


def _only_solid(name: str, shape: cq.Workplane) -> cq.Workplane:
    """The one valid solid of *shape*; stops when the kernel made none, several or a broken one."""
    solids = cq.Compound.makeCompound(shape.vals()).Solids()
    if len(solids) != 1 or not solids[0].isValid() or solids[0].Volume() <= 0:
        raise SystemExit(f"{name}: expected one valid solid, the kernel made {len(solids)}")
    return cq.Workplane(solids[0])


def write_table(parts: list[dict[str, Any]]) -> None:
    """Put a row for every part into the README."""
    rows = [TABLE_HEAD]
    for part in parts:
        size = " x ".join(f"{side:.3g}" for side in part["size_mm"])
        about = part["about"].rstrip(".")
        rows.append(
            f"| `{part['file']}` | {part['class']} | {part['family']} | {about} | {size} "
            f"| {part['units']} | {LICENCE} |\n"
        )
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    table = re.compile(r"^\| file \|.*?(?=\n[^|])", re.DOTALL | re.MULTILINE)
    readme.write_text(table.sub(lambda _: "".join(rows), text, count=1), encoding="utf-8")


def main() -> None:
    """Make the named classes, or all of them; entries of `parts.json` that were not made anew stay as they are."""
    parser = argparse.ArgumentParser(description="Draw the STEP parts of this folder.")
    parser.add_argument("classes", nargs="*", metavar="CLASS", choices=[[], *DRAWINGS], help="all if none is named")
    parser.add_argument("--size", help="one size of the named classes, for example M8x40; all sizes on file if absent")
    asked = parser.parse_args()
    listing = HERE / "parts.json"
    known = {p["name"]: p for p in json.loads(listing.read_text(encoding="utf-8"))} if listing.exists() else {}
    for part_class in asked.classes or DRAWINGS:
        for size in [asked.size] if asked.size else DRAWINGS[part_class].sizes or [""]:
            entry = make(part_class, size)
            known[entry["name"]] = entry
            kilobytes = (HERE / entry["file"]).stat().st_size / 1000
            print(f"{entry['name']}: {kilobytes:.0f} kB, {entry['size_mm']} mm", flush=True)
    place = {part_class: i for i, part_class in enumerate(DRAWINGS)}
    ordered = sorted((p for p in known.values() if p.get("class") in place), key=lambda p: place[p["class"]])
    listing.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    write_table(ordered)


if __name__ == "__main__":
    main()
