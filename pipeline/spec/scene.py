"""SceneSpec: everything that was drawn for one scene, frozen.

A SceneSpec is a pure function of (dataset spec, scene index) and holds names and numbers only: no CAD geometry, no
paths of this machine. The rooms downstream turn it into poses (`arrange`), finishes (`surface`), lamps (`light`),
pixels (`render`) and photos (`camera`). Does not cover: the TOML file (`model`), how values are drawn (`draw`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from pipeline.spec.clip import ClipSpec
from pipeline.spec.depth_sensor import DepthSensorSpec
from pipeline.spec.noise_budget import NoiseBudget
from pipeline.spec.painted import PaintedSpec
from pipeline.spec.photo_state import CLEAN_LENS, LampDrive, LensState
from pipeline.spec.processing import DEFAULT_PROCESSING, Metering, ProcessingSpec, SeriesSpec
from pipeline.spec.transfer import TransferSpec

Split = Literal["train", "val", "test"]
ArrangementKind = Literal["table", "conveyor", "tray", "pocket_tray", "bin", "pile", "stack", "vice", "fixture"]
ToleranceStandard = Literal[
    "iso2768-f",
    "iso2768-m",
    "iso2768-c",
    "iso2768-v",
    "iso286-IT6",
    "iso286-IT7",
    "iso286-IT8",
    "iso286-IT9",
    "iso286-IT10",
    "iso286-IT11",
]
Tone = Literal["filmic", "agx", "srgb", "linear"]

SCENE_SCHEMA_VERSION = 2

RENDERED_CCT_K: Final = 6504.0
"""Colour temperature of the light as it is rendered (D65, the white of Rec.709)."""
CCT_RANGE_K: Final = (1667.0, 25000.0)
"""Colour temperatures that a photo may have: the range of CIE daylight and of lamps."""


@dataclass(frozen=True)
class FaceRule:
    """A process that a part declares for some of its faces. A face takes the first rule whose every condition holds."""

    kind: str | None
    """"plane", "cylinder", "cone", "sphere", "torus" or "freeform"; None = any."""
    radius_mm: tuple[float, float] | None
    """Lowest and highest radius (cylinder, sphere; mean of a cone; major of a torus); None = any."""
    inner: bool | None
    """True for concave faces only, False for convex ones only; None = any."""
    name: str | None
    """Shell pattern for the face's name, or its solid's, in the CAD file; None = any."""
    color: str | None
    """"#rrggbb" (sRGB) that the CAD file gives the face or its solid; None = any."""
    process: str
    """Entry of assets/tables/processes."""
    ra_um: float | None
    """Ra within the process's range; None = drawn."""


@dataclass(frozen=True)
class DefectSpec:
    """One defect of a part instance, as quantiles: where it lies and how large it is follow from the part."""

    defect_id: int
    """1-based within the instance."""
    kind: str
    """Entry of assets/tables/defects."""
    severity: float
    """0 (hardly visible) to 1 (scrap): depth, contrast or coverage within the range of the kind."""
    size_quantile: float
    """[0, 1): size within the range of the kind, log scale, before `size_scale`."""
    size_scale: float
    """Multiplier on the size."""
    face_quantile: float
    """[0, 1): chooses among the faces (or edges) that can have this defect, by area (or length)."""
    seed: int
    """Place on the face, direction and shape."""


@dataclass(frozen=True)
class ToleranceSpec:
    """Manufacturing variation of one instance's dimensions."""

    standard: ToleranceStandard
    seed: int


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
    metal_quantile: float = 0.5
    """[0, 1): where in the spread of published optical constants this instance's metal lies."""
    film: str = "bare"
    """Entry of assets/tables/films: oxide, oil, anodising, paint, plating ..., "bare" = none."""
    film_quantile: float = 0.5
    """[0, 1): thickness or depth of colour within the film's range."""
    face_rules: tuple[FaceRule, ...] = ()
    """Processes that the part declares; faces without a rule follow the finish scheme."""
    defects: tuple[DefectSpec, ...] = ()
    tolerance: ToleranceSpec | None = None
    """None = nominal dimensions."""


@dataclass(frozen=True)
class ArrangementSpec:
    """How the items stand."""

    kind: ArrangementKind
    surface: str
    """Look of the table, belt, tray, bin or fixture: an entry of assets/tables/supports."""
    gap_m: float
    """Smallest clear distance between two parts that are placed, not dropped, metres."""
    seed: int
    """Seed of the placement search, and of how parts are dropped."""
    distractors: int = 0
    """Unlabelled things among the parts: caps, offcuts, cable, tools."""
    container_m: tuple[float, float, float] | None = None
    """Inner length, width and height of a bin or tray, metres; None = as large as the parts need."""


@dataclass(frozen=True)
class RigSpec:
    """The lamps that belong to the inspection station or the studio."""

    name: str
    """Entry of assets/tables/rigs."""
    yaw_rad: float
    """Rotation of the whole rig about the vertical, radians."""
    scale: float
    """Multiplier on the rig's own dimensions."""
    illuminance_lux: float = 1000.0
    """Illuminance that the rig gives at the working plane: what radiance 1 of a white reflector stands for."""


@dataclass(frozen=True)
class SurroundingsSpec:
    """What the metal sees beyond the rig."""

    name: str
    """Entry of assets/tables/surroundings."""
    yaw_rad: float
    """Rotation about the vertical, counter-clockwise from above, radians; so are those of rigs and items."""
    illuminance_ratio: float
    """Illuminance that the surroundings give at the working plane, as a share of the rig's."""
    file: str | None = None
    """The user's environment image, relative to the spec's folder; None for entries of the table."""
    seed: int = 0
    """Of procedural rooms and environments."""


@dataclass(frozen=True)
class CameraSpec:
    """A camera in spherical coordinates about the middle of the arrangement."""

    camera_index: int
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
class GlassSpec:
    """A pane between every camera of the scene and the parts; it keeps its place relative to the camera."""

    kind: str
    """Entry of assets/tables/glass."""
    thickness_m: float
    refractive_index: float
    tilt_rad: float
    """Angle between the pane's normal and the camera's axis, radians."""
    tilt_azimuth_rad: float
    """Direction of the picture towards which the normal leans, from right to down, radians."""
    distance_m: float | None
    """From the lens to the pane's front along the camera's axis, metres; None when *share* decides."""
    share: float = 0.5
    """Share of the way to the nearest thing in the frame at which the pane stands, when *distance_m* is None."""


@dataclass(frozen=True)
class ReflectionsSpec:
    """How far reflections are followed for the truth layers."""

    bounces: int = 1
    """Mirror bounces whose hits are stored, 1 or 2."""
    rough_rays: int = 16
    """Rays per pixel mirrored with the metal's real roughness, a square number; 0 = none."""


@dataclass(frozen=True)
class RenderSpec:
    """How a scene is path-traced."""

    samples: int
    """Paths per pixel; with a budget, the most there may be."""
    denoise: bool
    seed: int
    """Cycles' seed, 0 to 2**31 - 1."""
    budget: NoiseBudget | None = None
    """Lets the render choose its samples; None: they are set by hand."""
    reflections: ReflectionsSpec = ReflectionsSpec()
    cast_light: bool = False
    """Whether cast light is traced: what metal throws onto its neighbourhood."""


@dataclass(frozen=True)
class BodySpec:
    """Which camera of its model takes a photo, and how warm it is."""

    serial: str = "0001"
    """Serial number: the fixed pattern of the pixels goes with it."""
    temperature_c: float = 25.0
    """Temperature of the sensor, degrees Celsius."""


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
    body: BodySpec = BodySpec()
    raw: bool = False
    """Keep the converter's codes too: a DNG, or a TIFF of a mono sensor."""
    stops_above: bool = False
    """Keep how far every pixel's exposure is above saturation, too."""
    metering: Metering = "centre_weighted"
    processing: ProcessingSpec = DEFAULT_PROCESSING
    series: SeriesSpec | None = None
    """The bracket or burst that it belongs to."""
    drives: dict[str, LampDrive] = field(default_factory=dict)
    """Light group -> how its lamps are driven. A missing group is steady."""
    lens_state: LensState = CLEAN_LENS
    longest_shutter_s: float | None = None
    """No exposure may be longer (a clip's frame time), seconds; None = as long as the camera can."""


@dataclass(frozen=True)
class SceneSpec:
    """One arrangement of parts, lights, surroundings and cameras: the unit of rendering, caching and regeneration.

    Its views are every camera under every rig, and with `twins` each of them without the defects once more.
    """

    schema_version: int
    dataset: str
    index: int
    scene_id: str
    seed: int
    split: Split
    items: tuple[ItemSpec, ...]
    arrangement: ArrangementSpec
    rigs: tuple[RigSpec, ...]
    surroundings: SurroundingsSpec
    cameras: tuple[CameraSpec, ...]
    twins: bool
    """Render every view a second time without defects, otherwise bit-identical."""
    render: RenderSpec
    photos: tuple[PhotoSpec, ...]
    glass: GlassSpec | None = None
    """The pane that the cameras look through; None = nothing stands before them."""
    clip: ClipSpec | None = None
    """How the scene is filmed: camera k is frame k. None = photographs."""
    depth_sensor: DepthSensorSpec | None = None
    """The depth sensor for which it is told where it would fail; None = none."""
    transfer: TransferSpec | None = None
    """How its photos are moved towards real photographs; None = they stay as the camera took them."""
    painted: PaintedSpec | None = None
    """Pictures that a model paints for its table and behind its parts; None = none."""


@dataclass(frozen=True)
class Shot:
    """What one view shows: a camera, a rig, the parts with or without their defects."""

    view_index: int
    camera_index: int
    rig_index: int
    defects: bool
    twin_of: int | None
    """view_index of the same view with defects; None unless this is a defect-free twin."""


def shots_of(cameras: int, rigs: int, twins: bool) -> tuple[Shot, ...]:
    """The views of a scene in order: by camera, then by rig, the defect-free twin behind its view."""
    shots: list[Shot] = []
    for camera in range(cameras):
        for rig in range(rigs):
            first = len(shots)
            shots.append(Shot(first, camera, rig, True, None))
            if twins:
                shots.append(Shot(first + 1, camera, rig, False, first))
    return tuple(shots)


def scene_shots(scene: SceneSpec) -> tuple[Shot, ...]:
    """The views of *scene* in order."""
    return shots_of(len(scene.cameras), len(scene.rigs), scene.twins)


def scene_id_of(dataset: str, index: int) -> str:
    """Scene id, for example "quickstart-000007"."""
    return f"{dataset}-{index:06d}"


def view_id_of(scene_id: str, view_index: int) -> str:
    """View id, for example "quickstart-000007-v0"."""
    return f"{scene_id}-v{view_index}"


def photo_id_of(scene_id: str, view_index: int, photo_index: int) -> str:
    """Photo id, for example "quickstart-000007-v0-p3"."""
    return f"{view_id_of(scene_id, view_index)}-p{photo_index}"
