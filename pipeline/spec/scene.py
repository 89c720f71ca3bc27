"""SceneSpec: everything that was drawn for one scene, frozen.

A SceneSpec is a pure function of (dataset spec, scene index) and holds names and numbers only: no CAD geometry, no
paths of this machine. The rooms downstream turn it into poses (`arrange`), finishes (`surface`), lamps (`light`),
pixels (`render`) and photos (`camera`). Does not cover: the TOML file (`model`), how values are drawn (`draw`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Split = Literal["train", "val", "test"]
ArrangementKind = Literal["table", "conveyor", "tray", "bin"]
Tone = Literal["filmic", "srgb", "linear"]

SCENE_SCHEMA_VERSION = 1

RENDERED_CCT_K: Final = 6504.0
"""Colour temperature of the light as it is rendered (D65, the white of Rec.709)."""
CCT_RANGE_K: Final = (1667.0, 25000.0)
"""Colour temperatures that a photo may have: the range of the approximations in `camera.mix`."""


@dataclass(frozen=True)
class ItemSpec:
    """One part instance of a scene."""

    instance_id: int
    """1-based; the value of this instance in every id layer."""
    part_id: str
    """Name of the part in the dataset spec, for example "flange"."""
    part_file: str
    """POSIX path: "assets:parts/flange.step" below the assets folder, else relative to the spec's folder."""
    part_units: str | None
    """Length unit to assume for files that carry none ("mm", "inch", ...); None = from the file."""
    category: str
    """Class label that a detector learns."""
    metal: str
    """Entry of assets/tables/metals."""
    finish: str
    """Finish scheme, an entry of assets/tables/finishes."""
    ra_quantile: float
    """[0, 1): where in each process's range of Ra (log scale) this instance lies."""
    alpha_scale: float
    """Multiplier on GGX alpha, about 0.7 to 1.4 (spread of the published correlation lengths)."""
    pose_quantile: float
    """[0, 1): chooses among the part's stable resting poses by their probability."""
    yaw_rad: float
    """Rotation about the vertical, radians."""


@dataclass(frozen=True)
class ArrangementSpec:
    """How the items stand."""

    kind: ArrangementKind
    surface: str
    """Look of the table, belt, tray or bin: an entry of assets/tables/supports."""
    gap_m: float
    """Smallest clear distance between two parts, metres."""
    seed: int
    """Seed of the placement search."""


@dataclass(frozen=True)
class RigSpec:
    """The lamps that belong to the inspection station or the studio."""

    name: str
    """Entry of assets/tables/rigs."""
    yaw_rad: float
    """Rotation of the whole rig about the vertical, radians."""
    scale: float
    """Multiplier on the rig's own dimensions."""


@dataclass(frozen=True)
class SurroundingsSpec:
    """What the metal sees beyond the rig."""

    name: str
    """Entry of assets/tables/surroundings."""
    yaw_rad: float
    """Rotation about the vertical, counter-clockwise from above, radians; so are those of rigs and items."""
    illuminance_ratio: float
    """Illuminance that the surroundings give at the working plane, as a share of the rig's."""


@dataclass(frozen=True)
class CameraSpec:
    """One view: a camera in spherical coordinates about the middle of the arrangement."""

    view_index: int
    azimuth_rad: float
    elevation_rad: float
    """Above the horizontal, radians."""
    roll_rad: float
    distance_m: float | None
    """Metres from lens to the look-at point; None when *fill* decides."""
    fill: float | None
    """Share of the frame's short side that the arrangement's bounding sphere covers; None when *distance_m* decides."""
    focal_mm: float
    sensor_width_mm: float
    width: int
    height: int
    look_at_jitter: tuple[float, float, float]
    """Look-at offset in units of the arrangement's radius (x, y, z of the world)."""


@dataclass(frozen=True)
class RenderSpec:
    """How a scene is path-traced."""

    samples: int
    denoise: bool
    seed: int
    """Cycles' seed, 0 to 2**31 - 1."""


@dataclass(frozen=True)
class PhotoSpec:
    """One exposure of one view."""

    view_index: int
    photo_index: int
    seed: int
    """Seed of the sensor noise."""
    exposure_ev: float
    """Stops relative to the metered exposure."""
    light_weights: dict[str, float]
    """Light group -> brightness multiplier. A missing group has weight 1."""
    light_cct_k: dict[str, float]
    """Light group -> correlated colour temperature, kelvin. A missing group keeps its rendered colour."""
    white_balance_k: float
    """Colour temperature that the camera takes for white, kelvin."""
    sensor: str
    """Entry of assets/tables/sensors."""
    lens: str
    """Entry of assets/tables/lenses."""
    f_number: float
    tone: Tone
    image_format: Literal["png", "jpeg"]


@dataclass(frozen=True)
class SceneSpec:
    """One arrangement of parts, lights, surroundings and cameras: the unit of rendering, caching and regeneration."""

    schema_version: int
    dataset: str
    index: int
    scene_id: str
    seed: int
    split: Split
    items: tuple[ItemSpec, ...]
    arrangement: ArrangementSpec
    rig: RigSpec
    surroundings: SurroundingsSpec
    cameras: tuple[CameraSpec, ...]
    render: RenderSpec
    photos: tuple[PhotoSpec, ...]


def scene_id_of(dataset: str, index: int) -> str:
    """Scene id, for example "quickstart-000007"."""
    return f"{dataset}-{index:06d}"


def view_id_of(scene_id: str, view_index: int) -> str:
    """View id, for example "quickstart-000007-v0"."""
    return f"{scene_id}-v{view_index}"


def photo_id_of(scene_id: str, view_index: int, photo_index: int) -> str:
    """Photo id, for example "quickstart-000007-v0-p3"."""
    return f"{view_id_of(scene_id, view_index)}-p{photo_index}"
