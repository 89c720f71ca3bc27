"""Draw which painted pictures a scene uses.

Covers: the PaintedSpec of a scene. Does not cover: painting (`transfer.paint`), where a picture lies or stands in the
scene (`surface.painted`, `light.backdrop`).
"""

from __future__ import annotations

from typing import Final

from pipeline.spec.painted import PaintedKind, PaintedPicture, PaintedSpec
from pipeline.spec.painted_section import PaintedSection, PictureSection
from pipeline.spec.scene import ArrangementKind
from pipeline.spec.seeds import Stream, seed_of

_SEED_BITS = 63
TABLES: Final = ("table", "pile", "stack")
"""Arrangements whose parts lie on a flat table; a picture would be bent over the walls of bins and trays."""


def draw_painted(
    section: PaintedSection, dataset_seed: int, index: int, arrangement: ArrangementKind
) -> PaintedSpec | None:
    """The painted pictures of scene *index*; None where it has none."""
    draw = Stream(dataset_seed, index, "painted")
    with_surface, surface = draw.below(section.surface_probability), draw.u()
    with_backdrop, backdrop = draw.below(section.backdrop_probability), draw.u()
    found = PaintedSpec(
        section.painting(),
        _pick(section, dataset_seed, "surface", surface) if with_surface and arrangement in TABLES else None,
        _pick(section, dataset_seed, "backdrop", backdrop) if with_backdrop else None,
    )
    return found if found.pictures() else None


def _pick(section: PaintedSection, dataset_seed: int, kind: PaintedKind, u: float) -> PaintedPicture | None:
    """One of all pictures of *kind*, each as likely as the other; None without any."""
    own: list[PictureSection] = [picture for picture in section.pictures if picture.kind == kind]
    place = int(u * sum(picture.count for picture in own))
    for picture in own:
        if place < picture.count:
            # Scenes share pictures, so their seeds follow from the name and number alone.
            seed = seed_of(dataset_seed, place, f"painted.{picture.name}", _SEED_BITS)
            return PaintedPicture(picture.name, place, picture.prompt, seed, picture.span_m)
        place -= picture.count
    return None
