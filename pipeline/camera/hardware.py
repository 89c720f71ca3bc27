"""Sensors and lenses as records, from assets/tables/sensors.toml and lenses.toml.

Covers: the numbers and their checks. Does not cover: what they do to light (`sensor`, `optics`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

from pipeline.errors import InputError
from pipeline.records import from_dict
from pipeline.tables import table

DARK_REFERENCE_C: Final = 25.0
"""Temperature of the dark currents in the table, degrees Celsius."""
PHOTONS_PER_LX_S_M2: Final = 1.10e16
"""Photons of 400 to 700 nm that daylight of 6504 K brings per lux second and square metre (Planck over V(lambda))."""
ISO_CONSTANT_LX_S: Final = 78.0
"""ISO 12232, saturation-based speed: S = 78 lx s / H, H the exposure that fills the well."""


@dataclass(frozen=True)
class Sensor:
    """An image sensor; units are in assets/tables/sensors.toml. Quantities are named as in EMVA 1288 release 4.0."""

    name: str
    colour: Literal["bayer_rggb", "mono"]
    pixel_um: float
    quantum_efficiency: float
    band_share: float
    full_well_e: float
    read_noise_e: float
    read_noise_high_gain_e: float
    dark_e_per_s: float
    dark_doubling_k: float
    prnu: float
    dsnu_e: float
    hot_share: float
    hot_e_per_s: float
    bits: int
    black_level_dn: int
    max_gain: float
    shutter_min_s: float
    shutter_max_s: float
    response: tuple[float, float, float]
    source: str
    ccm: tuple[float, float, float, float, float, float, float, float, float] | None = None
    shutter: Literal["global", "rolling"] = "global"
    readout_s: float = 0.0

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
        """Exposure of white light (D65) that fills the (green) well, lux seconds: full well over electrons per lx s."""
        area_m2 = (self.pixel_um * 1e-6) ** 2
        return self.full_well_e / (self.quantum_efficiency * self.band_share * area_m2 * PHOTONS_PER_LX_S_M2)

    @property
    def base_iso(self) -> float:
        """ISO 12232's saturation-based speed at gain 1."""
        return ISO_CONSTANT_LX_S / self.saturating_exposure_lx_s

    def read_noise_at(self, gain: float) -> float:
        """Temporal dark noise, electrons, at *gain*: what arises behind the amplifier counts 1/gain in electrons."""
        ahead = self.read_noise_high_gain_e
        return math.sqrt(ahead**2 + max(self.read_noise_e**2 - ahead**2, 0.0) / gain**2)

    def dark_current_factor(self, temperature_c: float) -> float:
        """Dark current at *temperature_c* over that at 25 degrees: EMVA 1288, 2^((T - T_ref) / T_d)."""
        return float(2.0 ** ((temperature_c - DARK_REFERENCE_C) / self.dark_doubling_k))

    def check_settings(self, shutter_s: float, gain: float) -> None:
        """Raise InputError when the camera has no such shutter time or gain."""
        for what, value, low, high, unit in (
            ("shutter", shutter_s, self.shutter_min_s, self.shutter_max_s, " s"),
            ("gain", gain, 1.0, self.max_gain, ""),
        ):
            if not low <= value <= high:  # false for NaN too
                raise InputError(
                    f"sensor {self.name}: expected a {what} of {low:g} to {high:g}{unit}, found {value:g}{unit}; "
                    f"choose a {what} within that range, or another sensor"
                )


@dataclass(frozen=True)
class Lens:
    """A lens; units are in assets/tables/lenses.toml."""

    name: str
    vignetting: float
    psf_sigma_px: float
    blades: int
    bloom: float
    bloom_sigma: float
    glare: float
    glare_sigma: float
    ca_red: float
    ca_blue: float
    distortion: tuple[float, float, float, float, float]
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
