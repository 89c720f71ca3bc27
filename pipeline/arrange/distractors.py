"""Distractors: unlabelled things that lie among the parts, as on every real bench.

Covers: their shapes and looks, drawn from the arrangement's seed. Does not cover: where they lie (`place`, `drop`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.sweep import Corner, Mesh, Rectangle, ribbon, slab, sweep, tube
from pipeline.spec.scene import ArrangementSpec


@dataclass(frozen=True, eq=False)
class Thing:
    """One distractor in its own frame, lying on z = 0. Metres."""

    name: str
    look: str
    """Entry of assets/tables/supports."""
    vertices: NDArray[np.float64]
    normals: NDArray[np.float32]
    triangles: NDArray[np.int32]


def draw_things(spec: ArrangementSpec) -> tuple[Thing, ...]:
    """The distractors of an arrangement: what they are and how large, from its seed."""
    generator = np.random.default_rng([spec.seed, 1])
    names = sorted(_MAKERS)
    things = []
    for _ in range(spec.distractors):
        name = names[int(generator.integers(len(names)))]
        make, looks = _MAKERS[name]
        look = looks[int(generator.integers(len(looks)))]
        things.append(Thing(name, look, *_lying(make(float(generator.uniform(0.8, 1.25))))))
    return tuple(things)


def _lying(mesh: Mesh) -> Mesh:
    vertices, normals, triangles = mesh
    return vertices - np.array([0.0, 0.0, np.min(vertices[:, 2])]), normals, triangles


def _disc(radius: float) -> Rectangle:
    return Rectangle(radius, radius, 0.999 * radius)


def _cap(scale: float) -> Mesh:
    """A threaded plug's plastic cap: a cup on its head."""
    radius, tall = 0.011 * scale, 0.012 * scale
    return sweep(
        _disc(radius),
        [
            Corner(-0.5 * radius, tall),
            Corner(-0.08 * radius, tall, 0.001),
            Corner(0.0, 0.25 * tall, 0.0008),
            Corner(0.22 * radius, 0.25 * tall, 0.0006),
            Corner(0.22 * radius, 0.0, 0.0006),
            Corner(-0.5 * radius, 0.0),
        ],
    )


def _tape_roll(scale: float) -> Mesh:
    """A roll of tape: a ring on a core that is closed below."""
    radius, tall = 0.028 * scale, 0.019
    return sweep(
        _disc(radius),
        [
            Corner(-0.7 * radius, 0.001),
            Corner(-0.45 * radius, 0.001),
            Corner(-0.45 * radius, tall, 0.0004),
            Corner(0.0, tall, 0.0004),
            Corner(0.0, 0.0, 0.0004),
            Corner(-0.7 * radius, 0.0),
        ],
    )


def _offcut(scale: float) -> Mesh:
    return slab(Rectangle(0.022 * scale, 0.009, 0.0012), top=0.006, thickness=0.006, edge=0.0005)


def _arc(middle: tuple[float, float], radius: float, start: float, stop: float, steps: int) -> NDArray[np.float64]:
    angle = np.linspace(start, stop, steps)
    return np.column_stack([middle[0] + radius * np.cos(angle), middle[1] + radius * np.sin(angle), np.zeros(steps)])


def _allen_key(scale: float) -> Mesh:
    """A hexagon key: a bar of six flats with one bend."""
    bend, long, short = 0.008 * scale, 0.06 * scale, 0.02 * scale
    path = [np.array([[-long, -bend, 0.0]]), _arc((0.0, 0.0), bend, -np.pi / 2, 0.0, 9), np.array([[bend, short, 0.0]])]
    return tube(np.concatenate(path), 0.0026 * scale, sides=6, smooth=False)


def _cable(scale: float) -> Mesh:
    """A piece of cable in a lazy S."""
    t = np.linspace(-1.0, 1.0, 60)
    path = np.column_stack([0.05 * scale * t, 0.016 * scale * np.sin(2.6 * t), np.zeros_like(t)])
    return tube(path, 0.0027, sides=16, smooth=True)


def _pen(scale: float) -> Mesh:
    """A marker: barrel, shoulder and cap in one."""
    x = 0.068 * np.array([-1.0, -0.995, 0.2, 0.21, 0.22, 0.9, 0.96, 1.0])
    radii = 0.0055 * scale * np.array([0.8, 1.0, 1.0, 1.0, 1.12, 1.12, 1.0, 0.5])
    return tube(np.column_stack([x, np.zeros((8, 2))]), radii, sides=32, smooth=True)


def _swarf(scale: float) -> Mesh:
    """A curled chip: a ribbon wound into a coil that opens towards one end, as a lathe tool throws it."""
    steps, turns = 150, 4.5
    t = np.linspace(0.0, 1.0, steps)
    angle = 2.0 * np.pi * turns * t
    radius = scale * (0.0035 + 0.002 * t + 0.0004 * np.sin(9.0 * t))
    path = np.column_stack([scale * 0.026 * (t - 0.5), radius * np.cos(angle), radius * np.sin(angle)])
    inward = np.column_stack([0.35 * np.ones(steps), -np.cos(angle), -np.sin(angle)])
    return ribbon(path, inward, width=0.0022 * scale, thick=0.00025)


_MAKERS: Final[Mapping[str, tuple[Callable[[float], Mesh], tuple[str, ...]]]] = {
    "allen_key": (_allen_key, ("black_oxide_steel",)),
    "cable": (_cable, ("black_rubber_belt", "blue_tray_plastic")),
    "cap": (_cap, ("blue_tray_plastic", "light_grey_tray")),
    "offcut": (_offcut, ("grey_painted_table", "wood")),
    "pen": (_pen, ("blue_tray_plastic", "steel_bin")),
    "swarf": (_swarf, ("ground_steel", "aluminium_tray")),
    "tape_roll": (_tape_roll, ("cardboard", "light_grey_tray")),
}
