"""A diamond knurl as true geometry: pyramids between two families of crossed grooves."""

from __future__ import annotations

import math

import cadquery as cq


def knurled_band(tip_r: float, pitch: float, height: float) -> cq.Workplane:
    """A band from z = 0, at least *height* tall, knurled RGE 30 degrees (DIN 82): *pitch* across the grooves (mm).

    Two families of 90 degree grooves at 30 degrees to the axis leave pyramids, here with flat faces: along the
    circumference they repeat every pitch / cos 30, along the axis every pitch / sin 30. A groove is pitch / 2 deep.
    The band ends at the rows' middles; cut it to length.
    """
    around = round(2 * math.pi * tip_r * math.cos(math.radians(30)) / pitch)
    step = pitch / math.sin(math.radians(30)) / 2
    rows = math.ceil(height / step)

    def corner(i: int, j: int) -> cq.Vector:
        """Lattice point: crossings of grooves where i + j is even, tips of pyramids where it is odd."""
        radius = tip_r if (i + j) % 2 else tip_r - pitch / 2
        angle = math.pi * (i % (2 * around)) / around
        return cq.Vector(radius * math.cos(angle), radius * math.sin(angle), j * step)

    def facet(*points: cq.Vector) -> cq.Face:
        return cq.Face.makeFromWires(cq.Wire.makePolygon(list(points), close=True))

    faces = []
    for j in range(rows):
        for i in range(2 * around):
            a, b, c, d = corner(i, j), corner(i + 1, j), corner(i, j + 1), corner(i + 1, j + 1)
            # The diagonal of each cell is a groove: it joins the two crossings.
            faces += [facet(a, b, d), facet(a, d, c)] if (i + j) % 2 == 0 else [facet(a, b, c), facet(b, d, c)]
    for j in (0, rows):
        faces.append(facet(*(corner(i, j) for i in range(2 * around))))
    return cq.Workplane(cq.Solid.makeSolid(cq.Shell.makeShell(faces)))
