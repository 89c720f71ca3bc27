"""Defects that change the part's mesh: which function makes which kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pipeline.bundle import PlacedDefect
from pipeline.spec.scene import DefectSpec
from pipeline.surface.defects.body import Body
from pipeline.surface.defects.burr import burr
from pipeline.surface.defects.chip import chip
from pipeline.surface.defects.holes import missing_hole
from pipeline.surface.roles import Workpiece

Maker = Callable[[Body, Workpiece, DefectSpec, int], tuple[Body, PlacedDefect] | str]
"""Body, workpiece of the sound part, the defect, instance_id -> the changed body and its record, or why not."""

MAKERS: Final[Mapping[str, Maker]] = {"burr": burr, "chip": chip, "missing_feature": missing_hole}
