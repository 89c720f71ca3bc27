"""Draw how the lamps of a photo are driven, and the state of its lens.

Covers: LampDrive and LensState. Does not cover: brightness and colour of lamps, which lens it is (`draw_photos`).
"""

from __future__ import annotations

from typing import Any, Final

from pipeline import tables
from pipeline.spec.model import DatasetSpec
from pipeline.spec.numbers import Numbers, between, round_drawn
from pipeline.spec.photo_state import LampDrive, LensState
from pipeline.spec.seeds import Stream, seed_of

_PHASES_OF_SUPPLY: Final = 3
"""Lamps of a hall hang on the three phases of the mains, a third of a turn apart."""


def daylight_groups(surroundings: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    """Which of the light *groups* of *surroundings* are daylight: windows, and the world of outdoor places."""
    row = tables.table("drivers")["daylight"]
    return tuple(group for group in groups if group in row["groups"] or surroundings in row["surroundings"])


def draw_drives(
    spec: DatasetSpec,
    index: int,
    name: str,
    *,
    rig: tuple[str, ...],
    others: tuple[str, ...],
    daylight: tuple[str, ...],
    sensor: str,
) -> dict[str, LampDrive]:
    """How the lamps of each light group are driven in the photo whose stream begins with *name*.

    The *rig*'s groups share one driver; each of the *others* has its own, those of *daylight* none. All mains waves
    of a photo share its moment, on one of three phases.
    """
    draw, flicker = Stream(spec.dataset.seed, index, f"{name}.flicker"), spec.flicker
    mains_hz, moment = draw.number(flicker.mains_hz), draw.u()
    rolling = tables.table("sensors")[sensor].get("shutter") == "rolling"
    strobe_s = draw.number(flicker.strobe_s)
    driver = draw.name(flicker.rig_drivers)
    if rolling and driver == "strobe":
        driver = "dc"  # a flash would leave rows dark
    shared = _drive(draw, driver, mains_hz, moment, strobe_s)
    drives = dict.fromkeys(rig, shared)
    for group in others:
        driver = draw.name(flicker.room_drivers)
        if group in daylight:
            driver = "daylight"
        drives[group] = _drive(draw, driver, mains_hz, moment, strobe_s)
    return drives


def _drive(draw: Stream, driver: str, mains_hz: float, moment: float, strobe_s: float) -> LampDrive:
    """Four numbers are drawn whatever the driver needs, so that one driver's choice does not shift the next group."""
    row = tables.table("drivers")[driver]
    lots = [draw.u() for _ in range(4)]
    wave, spectrum = row["wave"], row["spectrum"]
    if wave == "mains":
        supply = int(lots[1] * _PHASES_OF_SUPPLY) / _PHASES_OF_SUPPLY
        return LampDrive(
            driver,
            wave,
            spectrum,
            frequency_hz=2.0 * mains_hz,
            modulation=_between(row["modulation"], lots[0]),
            phase=round_drawn((moment + 2.0 * supply) % 1.0),
        )
    if wave == "pwm":
        frequency, duty = _between(row["frequency_hz"], lots[0]), _between(row["duty"], lots[1])
        return LampDrive(
            driver, wave, spectrum, frequency_hz=frequency, duty=duty, phase=round_drawn(lots[2]), modulation=1.0
        )
    if wave == "pulse":
        return LampDrive(driver, wave, spectrum, pulse_s=strobe_s, level=float(row["level"]))
    return LampDrive(driver, wave, spectrum)


def _between(limits: Any, u: float) -> float:
    numbers: Numbers = between(float(limits[0]), float(limits[1]))
    return numbers.value(u)


def draw_lens_state(spec: DatasetSpec, index: int, name: str, camera: str) -> LensState:
    """Focus and dirt of a photo. Dirt belongs to the camera: the same for all photos of a scene with this *camera*."""
    optics = spec.optics
    draw = Stream(spec.dataset.seed, index, f"{name}.lens")
    defocus, scale = draw.number(optics.defocus_px), draw.number(optics.distortion_scale)
    dirt = Stream(spec.dataset.seed, index, f"dirt.{camera}")
    dirty = dirt.below(optics.dirt_probability)
    spots, smear = optics.dust_spots.count(dirt.u()), dirt.number(optics.smear)
    if not dirty:
        return LensState(defocus, scale)
    return LensState(defocus, scale, seed_of(spec.dataset.seed, index, f"dirt.{camera}.places"), spots, smear)


def neutral_lens_state(spec: DatasetSpec, index: int, name: str) -> LensState:
    """A clean lens in focus, with the distortion of its photo."""
    drawn = draw_lens_state(spec, index, name, "")
    return LensState(distortion_scale=drawn.distortion_scale)
