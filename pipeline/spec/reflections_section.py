"""[render.reflections] of a dataset spec: how far reflections are followed for the truth layers.

Covers: the keys and their limits. Does not cover: the renders that do it (`render.blender.reflection_renders`).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.spec.numbers import Section
from pipeline.spec.scene import ReflectionsSpec


class ReflectionsSection(Section):
    """[render.reflections]: how far reflections are followed for the truth layers."""

    bounces: Literal[1, 2] = Field(
        default=1,
        description="Mirror bounces whose hits are stored: 2 adds what is seen in the thing that is seen in the metal.",
    )
    rough_rays: Literal[0, 4, 9, 16, 25] = Field(
        default=16,
        description="Rays per pixel that are mirrored with the metal's real roughness, to tell what it shows mostly; "
        "0 leaves that layer out.",
    )

    def spec(self) -> ReflectionsSpec:
        """What a scene takes of this section."""
        return ReflectionsSpec(self.bounces, self.rough_rays)
