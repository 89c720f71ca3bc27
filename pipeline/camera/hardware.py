"""Sensors and lenses as records, from assets/tables/sensors.toml and lenses.toml.

Covers: the numbers and their checks. Does not cover: what they do to light (`sensor`, `optics`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pipeline.errors import InputError
from pipeline.records import from_dict
from pipeline.tables import table


@dataclass(frozen=True)
class Sensor:
    """An image sensor; units are in assets/tables/sensors.toml."""

    name: str
    colour: Literal["bayer_rggb", "mono"]
    full_well_e: float
    read_noise_e: float
    dark_e_per_s: float
    prnu: float
    bits: int
    black_level_dn: int
    base_iso: float
    max_gain: float
    response: tuple[float, float, float]
    source: str

    @property
    def white_dn(self) -> int:
        """The converter's last code."""
        return int(2**self.bits - 1)

    @property
    def electrons_per_dn(self) -> float:
        """Electrons per code at gain 1: the full well ends at the last code."""
        return self.full_well_e / (self.white_dn - self.black_level_dn)

    @property
    def saturating_exposure_lx_s(self) -> float:
        """Exposure of white light that fills the (green) well: ISO 12232, saturation-based speed S = 78 / H."""
        return 78.0 / self.base_iso


@dataclass(frozen=True)
class Lens:
    """A lens; units are in assets/tables/lenses.toml."""

    name: str
    vignetting: float
    psf_sigma_px: float
    glare: float
    glare_sigma: float
    f_min: float
    f_max: float
    source: str


@cache
def sensor_named(name: str) -> Sensor:
    """The sensor *name*. Raises InputError when the table has none of that name."""
    return from_dict(Sensor, _entry("sensors", name))


@cache
def lens_named(name: str) -> Lens:
    """The lens *name*. Raises InputError when the table has none of that name."""
    return from_dict(Lens, _entry("lenses", name))


def _entry(kind: str, name: str) -> dict[str, Any]:
    entries = table(kind)
    if name not in entries:
        raise InputError(f"expected one of the {kind} {', '.join(entries)}; found {name!r}")
    return {"name": name, **entries[name]}
