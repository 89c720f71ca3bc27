"""Draw the photos of a view: light mix, exposure, white balance, sensor, lens, tone.

Covers: the numbers of a PhotoSpec. Does not cover: developing it (`camera`), what the light groups hold (`light`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from pipeline import tables
from pipeline.spec.draw_light_and_lens import daylight_groups, draw_drives, draw_lens_state, neutral_lens_state
from pipeline.spec.draw_processing import draw_processing, in_series
from pipeline.spec.model import DatasetSpec
from pipeline.spec.numbers import Numbers, constant, round_drawn
from pipeline.spec.photos_section import PhotosSection
from pipeline.spec.scene import CCT_RANGE_K, RENDERED_CCT_K, BodySpec, PhotoSpec, Shot, Tone
from pipeline.spec.seeds import Stream, seed_of

ROOM_CCT_K: Final = Numbers(choices=(3000.0, 4000.0, 5000.0, 5700.0, 6500.0))
"""Colour temperatures of lamps that neither the spec nor the table of rigs names."""


@dataclass(frozen=True)
class LightGroups:
    """The light groups of a scene: those of its rig, and those that its surroundings add."""

    rig: tuple[str, ...]
    surroundings: tuple[str, ...]
    rig_cct_k: float | None = None
    """Colour temperature of the rig's lamps, kelvin, as the table says."""
    coloured: bool = False
    """Whether the rig's lamps are narrow-band: the bundle holds their colour, no temperature applies."""
    daylight: tuple[str, ...] = ()
    """Groups of the surroundings that the sky lights."""

    @property
    def all(self) -> tuple[str, ...]:
        """Every group, the rig's first."""
        return self.rig + self.surroundings


@dataclass(frozen=True)
class _Light:
    weights: dict[str, float]
    cct_k: dict[str, float]
    white_k: float


def light_groups(rig: str, surroundings: str) -> LightGroups:
    """The groups that the tables give for a rig and surroundings."""
    lamps = tables.table("rigs")[rig]
    of_rig = tuple(lamps["groups"])
    row = tables.table("surroundings").get(surroundings, {"groups": ("world",)})  # a user's own image lights as "world"
    others = tuple(row["groups"])
    other_groups = tuple(group for group in others if group not in of_rig)
    return LightGroups(
        of_rig, other_groups, lamps.get("cct_k"), "band_nm" in lamps, daylight_groups(surroundings, others)
    )


def draw_photos(
    spec: DatasetSpec, index: int, shot: Shot, photo: int, *, groups: LightGroups, illuminance_ratio: float
) -> tuple[PhotoSpec, ...]:
    """Photo number *photo* of the view *shot* of scene *index*, or the bracket or burst that the spec makes of it; a
    defect-free twin is photographed as its view is.

    Photo 0 of each view is the neutral one: the light as rendered, metered and balanced exactly.
    *illuminance_ratio* is what the surroundings give at the working plane, as a share of the rig's illuminance.
    """
    view = shot.view_index if shot.twin_of is None else shot.twin_of
    name, photos = f"photo.{view}.{photo}", spec.photos
    draw = Stream(spec.dataset.seed, index, name)
    sensor, lens, tone = draw.name(photos.sensors), draw.name(photos.lenses), draw.name(photos.tone)
    f_number, exposure_ev = draw.number(photos.f_number), draw.number(photos.exposure_ev)
    white_error_k = draw.number(photos.white_balance_error_k)
    metering, processing = draw_processing(spec, index, name, neutral=photo == 0)
    if processing.white_balance != "fixed":
        white_error_k = 0.0
    body = _draw_body(photos, Stream(spec.dataset.seed, index, name + ".body"))
    if photo == 0:
        light, exposure_ev, white_error_k = _neutral_light(groups), 0.0, 0.0
        drives, lens_state = {}, neutral_lens_state(spec, index, name)
    else:
        drives = draw_drives(
            spec, index, name, rig=groups.rig, others=groups.surroundings, daylight=groups.daylight, sensor=sensor
        )
        lens_state = draw_lens_state(spec, index, name, f"{sensor}.{body.serial}")
        light = _draw_light(photos, groups, Stream(spec.dataset.seed, index, name + ".light"), illuminance_ratio)
    drawn = PhotoSpec(
        view_index=shot.view_index,
        photo_index=photo,
        seed=seed_of(spec.dataset.seed, index, name + ".noise"),
        exposure_ev=exposure_ev,
        light_weights=light.weights,
        light_cct_k=light.cct_k,
        white_balance_k=round_drawn(max(light.white_k + white_error_k, CCT_RANGE_K[0])),
        sensor=sensor,
        lens=lens,
        f_number=_within_lens(f_number, lens),
        tone=cast(Tone, tone),
        image_format=photos.image_format,
        body=body,
        raw=photos.raw,
        stops_above=photos.stops_above,
        metering=metering,
        processing=processing,
        drives=drives,
        lens_state=lens_state,
    )
    return in_series(spec, index, name, drawn)


def _draw_body(photos: PhotosSection, draw: Stream) -> BodySpec:
    """One of the cameras of a model, and its temperature."""
    number = 1 + int(draw.u() * photos.cameras_per_sensor)
    return BodySpec(f"{number:04d}", draw.number(photos.sensor_temperature_c))


def _neutral_light(groups: LightGroups) -> _Light:
    return _Light(dict.fromkeys(groups.all, 1.0), {}, RENDERED_CCT_K)


def _draw_light(photos: PhotosSection, groups: LightGroups, draw: Stream, illuminance_ratio: float) -> _Light:
    weights: dict[str, float] = {}
    cct_k: dict[str, float] = {}
    lots: dict[str, float] = {}
    for group in groups.all:
        weights[group], cct_k[group], lots[group] = (
            draw.number(photos.light_weight),
            draw.number(_temperatures(photos, groups, group)),
            draw.u(),
        )
    if groups.coloured:
        cct_k = {group: kelvin for group, kelvin in cct_k.items() if group not in groups.rig}
    for group in _switched_off(groups.rig, lots, photos.group_off_probability):
        weights[group] = 0.0
    return _Light(weights, cct_k, _white_of(weights, cct_k, groups, illuminance_ratio))


def _temperatures(photos: PhotosSection, groups: LightGroups, group: str) -> Numbers:
    """The distribution that a group's colour temperature is drawn from."""
    if photos.light_cct_k is not None:
        return photos.light_cct_k
    if group in groups.rig and groups.rig_cct_k is not None:
        return constant(groups.rig_cct_k)
    return ROOM_CCT_K


def _switched_off(rig: tuple[str, ...], lots: dict[str, float], probability: float) -> list[str]:
    """The rig's groups whose lot says off; if that is all of them, the one with the highest lot stays on."""
    off = [group for group in rig if lots[group] < probability]
    if off and len(off) == len(rig):
        off.remove(max(rig, key=lots.__getitem__))
    return off


def _white_of(
    weights: dict[str, float], cct_k: dict[str, float], groups: LightGroups, illuminance_ratio: float
) -> float:
    """Colour temperature of the mixed light at the working plane, kelvin: the mean in reciprocal kelvin.

    Each group counts by its weight times its share of the illuminance, taken as equal within the rig and within the
    surroundings. Equal steps in reciprocal kelvin look nearly equal, which is why photographers count in mired. Lamps
    without a temperature (narrow bands) do not count: nobody balances to them.
    """
    shares = {group: 1.0 / len(groups.rig) for group in groups.rig}
    shares |= {group: illuminance_ratio / len(groups.surroundings) for group in groups.surroundings}
    shares = {group: share for group, share in shares.items() if group in cct_k}
    total = sum(weights[group] * share for group, share in shares.items())
    if total == 0.0:
        return RENDERED_CCT_K
    return total / sum(weights[group] * share / cct_k[group] for group, share in shares.items())


def _within_lens(f_number: float, lens: str) -> float:
    """*f_number* moved into the aperture range that the lens has."""
    values = tables.table("lenses")[lens]
    return min(max(f_number, float(values["f_min"])), float(values["f_max"]))
