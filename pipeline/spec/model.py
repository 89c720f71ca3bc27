"""The dataset spec: every table and key that a spec file may hold, as frozen models.

Covers: names, types, defaults, limits and the checks between keys. Does not cover: reading the file and wording the
errors (`load`), distributions (`numbers`), drawing scenes (`draw`). docs/spec.md explains every key to the user.
"""

from __future__ import annotations

import math
import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from pipeline import tables
from pipeline.spec.checks import check_sum, problem, suggestion
from pipeline.spec.clip_sections import ClipsSection
from pipeline.spec.depth_sensor_section import DepthSensorSection
from pipeline.spec.files import CARRIES_UNITS, find_image_file, find_part_file
from pipeline.spec.films import films_on
from pipeline.spec.glass_section import GlassSection
from pipeline.spec.light_and_lens import FlickerSection, OpticsSection
from pipeline.spec.names import (
    DefectWeights,
    FilmWeights,
    FinishWeights,
    KindSurfaces,
    KindWeights,
    MetalWeights,
    ProcessName,
    RigName,
    RigWeights,
    TaskName,
)
from pipeline.spec.numbers import Counts, Numbers, Probability, Section, Within, between, constant
from pipeline.spec.painted_section import PaintedSection
from pipeline.spec.photos_section import PhotosSection, RenderSection
from pipeline.spec.scene import ToleranceStandard
from pipeline.spec.transfer_section import SMALLEST_PX, TransferSection

MAX_PIXELS: Final = 2**25
"""Largest width x height of a view: 33.5 million pixels."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def _check_slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise problem("1 to 63 of the characters a-z, 0-9, _ and -, the first a letter or digit")
    return value


Slug = Annotated[str, AfterValidator(_check_slug)]
"""A name that is safe in file names and ids."""

Units = Literal["um", "mm", "cm", "m", "inch", "ft"]


class DatasetSection(Section):
    """[dataset]: what is built."""

    name: Slug = Field(description="First part of every scene id.")
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="Everything random follows from it.")
    scenes: int = Field(ge=1, le=1_000_000, description="How many scenes.")
    description: str = Field(default="", description="For people; goes into the build's README.")
    licence: str = Field(default="not stated", description="Licence of the images, for example CC-BY-4.0.")
    keep: Annotated[tuple[Literal["photos", "truth", "bundles"], ...], Field(min_length=1)] = Field(
        default=("photos", "truth", "bundles"),
        description="What stays in the store: photos (else none are developed), the exact layers of truth, light "
        "bundles (radiance); tables always do. What is dropped `scene` makes anew.",
    )


class SplitSection(Section):
    """[split]: probability that a scene belongs to each split."""

    train: Probability = Field(default=0.8, description="Share of scenes for training.")
    val: Probability = Field(default=0.1, description="Share of scenes for validation.")
    test: Probability = Field(default=0.1, description="Share of scenes for testing.")

    @model_validator(mode="after")
    def _sums(self) -> SplitSection:
        check_sum((self.train, self.val, self.test))
        return self


class FaceSection(Section):
    """[[parts.<id>.faces]]: the process of some faces. A face takes the first entry whose every condition holds."""

    kind: Literal["plane", "cylinder", "cone", "sphere", "torus", "freeform"] | None = Field(
        default=None, description="Kind of the B-rep face; any if absent."
    )
    radius_mm: tuple[float, float] | None = Field(
        default=None, description="Lowest and highest radius of a round face, millimetres; any if absent."
    )
    inner: bool | None = Field(default=None, description="true: concave faces only; false: convex ones only.")
    name: str | None = Field(default=None, description='Shell pattern for the name in the CAD file, "bore*".')
    color: Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")] | None = Field(
        default=None, description='Colour that the CAD file gives the face or its solid, "#rrggbb".'
    )
    process: ProcessName = Field(description="How these faces are made: an entry of assets/tables/processes.toml.")
    ra_um: float | None = Field(
        default=None, gt=0, description="Ra in micrometres, within the process's range; drawn from it if absent."
    )

    @model_validator(mode="after")
    def _ra_within_process(self) -> FaceSection:
        low, _, high = tables.table("processes")[self.process].get("ra_um", (0.0, 0.0, math.inf))
        if self.ra_um is not None and not low <= self.ra_um <= high:
            raise problem(f"ra_um from {low:g} to {high:g}, which {self.process} reaches", f"{self.ra_um:g}")
        return self


class PartSection(Section):
    """[parts.<id>]: one CAD file."""

    file: str = Field(description='"assets:parts/x.step", or a path relative to the spec\'s folder.')
    category: str = Field(
        min_length=1, max_length=64, description="Class label that a detector learns; several parts may share one."
    )
    weight: float = Field(default=1.0, ge=0, description="How often it is drawn, relative to the other parts.")
    units: Units | None = Field(default=None, description="Length unit of a file that carries none: STL, OBJ, PLY.")
    metals: MetalWeights | None = Field(default=None, description="Its own metals, instead of [metals].")
    finishes: FinishWeights | None = Field(default=None, description="Its own finishes, instead of [finishes].")

    films: FilmWeights | None = Field(default=None, description="Its own films, instead of [films].")
    faces: tuple[FaceSection, ...] = Field(
        default=(), description="Processes of single faces; all others follow the finish scheme."
    )

    @field_validator("file")
    @classmethod
    def _file_exists(cls, value: str, info: ValidationInfo) -> str:
        if info.context is not None:  # models made without a file (in tests, from Python) know no folder
            find_part_file(value, Path(info.context["folder"]))
        return value

    @field_validator("units")
    @classmethod
    def _only_where_missing(cls, value: str | None, info: ValidationInfo) -> str | None:
        suffix = PurePosixPath(info.data.get("file", "")).suffix.lower()
        if value is not None and suffix in CARRIES_UNITS:
            raise problem(f"no units for a {suffix} file, which carries its own", f'"{value}"')
        return value


class ItemsSection(Section):
    """[items]: how many parts a scene shows, and how they vary."""

    count: Annotated[Counts, Within(1, 1000)] = Field(
        default=Counts(min=1, max=6), description="Part instances per scene."
    )
    batch_probability: Probability = Field(
        default=0.0, description="Probability that all items of a scene share part, metal and finish."
    )
    ra_quantile: Annotated[Numbers, Within(0, 1)] = Field(
        default=between(0, 1), description="Where in a process's range of Ra (log scale) an item lies: 0 is smoothest."
    )
    alpha_scale: Annotated[Numbers, Within(0.2, 5)] = Field(
        default=Numbers(min=0.7, max=1.4, scale="log"), description="Multiplier on the GGX alpha that follows from Ra."
    )

    metal_spread: Annotated[Numbers, Within(0, 1)] = Field(
        default=between(0, 1), description="Where in the spread of published optical constants an item's metal lies."
    )
    film_level: Annotated[Numbers, Within(0, 1)] = Field(
        default=between(0, 1), description="Where in a film's range of thickness or depth an item lies."
    )
    tolerance: ToleranceStandard | None = Field(
        default=None, description="Dimensions of every copy vary within this standard; nominal if absent."
    )


class DefectsSection(Section):
    """[defects]: what is wrong with the parts, with exact truth."""

    probability: Probability = Field(default=0.0, description="Probability that an item has defects.")
    count: Annotated[Counts, Within(1, 32)] = Field(
        default=Counts(min=1, max=3), description="Defects of an item that has any."
    )
    kinds: DefectWeights = Field(default={"scratch": 1.0}, description="Kinds of defect, with weights.")
    size_scale: Annotated[Numbers, Within(0.01, 100)] = Field(
        default=constant(1), description="Multiplier on the size that is drawn from the kind's range."
    )
    severity: Annotated[Numbers, Within(0, 1)] = Field(
        default=between(0, 1), description="0 = hardly visible, 1 = scrap: depth or coverage within the kind's range."
    )
    twins: bool = Field(
        default=False, description="Render every view again without the defects, otherwise bit-identical."
    )


class ArrangementSection(Section):
    """[arrangement]: what the parts lie on."""

    kinds: KindWeights = Field(default={"table": 1.0}, description="How parts lie, with weights.")
    surfaces: KindSurfaces = Field(description="For each kind, looks of its table, belt, tray or bin, with weights.")
    gap_mm: Annotated[Numbers, Within(0, 1000)] = Field(
        default=between(2, 20), description="Smallest clear distance between two parts, millimetres."
    )
    distractors: Annotated[Counts, Within(0, 100)] = Field(
        default=Counts(choices=(0,)), description="Unlabelled things among the parts."
    )
    container_mm: tuple[float, float, float] | None = Field(
        default=None, description="Inner length, width and height of bins and trays; fitted to the parts if absent."
    )

    @model_validator(mode="after")
    def _surfaces_of_every_kind(self) -> ArrangementSection:
        bare = sorted(kind for kind, weight in self.kinds.items() if weight > 0 and kind not in self.surfaces)
        if bare:
            raise problem("surfaces for every kind with a weight above 0", f"none for {', '.join(bare)}")
        return self


class RigsSection(Section):
    """[rigs]: the lamps of the station."""

    weights: RigWeights | None = Field(default=None, description="Rigs, with weights; one is drawn for each scene.")
    together: tuple[RigName, ...] | None = Field(
        default=None, description="Instead of weights: every view of every scene is rendered under each of these rigs."
    )
    illuminance_lux: Annotated[Numbers, Within(1, 200000)] = Field(
        default=constant(1000), description="Illuminance that the rig gives at the working plane, lux."
    )
    scale: Annotated[Numbers, Within(0.1, 10)] = Field(
        default=constant(1), description="Multiplier on the rig's own dimensions."
    )
    yaw_deg: Annotated[Numbers, Within(-360, 360)] = Field(
        default=between(0, 360), description="Rotation of the rig about the vertical, degrees."
    )

    @model_validator(mode="after")
    def _one_of_weights_and_together(self) -> RigsSection:
        if (self.weights is None) == (self.together is None):
            raise problem("exactly one of weights and together", "neither" if self.weights is None else "both")
        if self.together is not None and (not self.together or len(set(self.together)) < len(self.together)):
            raise problem("together with at least one rig, each once", str(list(self.together)))
        return self


class SurroundingsSection(Section):
    """[surroundings]: what the metal sees beyond the rig."""

    weights: dict[str, Annotated[float, Field(ge=0)]] = Field(
        description="Surroundings, with weights: entries of assets/tables/surroundings.toml or names below files."
    )
    files: dict[Slug, str] = Field(
        default={}, description="The user's own environment images (EXR, HDR): name -> path relative to the spec."
    )
    illuminance_ratio: Annotated[Numbers, Within(0, 100)] | None = Field(
        default=None,
        description="Their illuminance at the working plane, as a share of the rig's; 0.05 to 0.4 if nothing is said.",
    )
    illuminance_lux: Annotated[Numbers, Within(0, 200000)] | None = Field(
        default=None, description="Instead of a ratio: their illuminance at the working plane, lux."
    )
    task: TaskName | None = Field(
        default=None,
        description="Instead of a number: lit as EN 12464-1 asks for this task (assets/tables/illuminance.toml).",
    )
    yaw_deg: Annotated[Numbers, Within(-360, 360)] = Field(
        default=between(0, 360), description="Rotation of the surroundings about the vertical, degrees."
    )

    @model_validator(mode="after")
    def _check(self) -> SurroundingsSection:
        allowed = (*tables.names("surroundings"), *self.files)
        for name in self.weights:
            if name not in allowed:
                raise problem(f"one of {', '.join(allowed)}", f'"{name}"', suggestion(name, allowed))
        check_sum(tuple(self.weights.values()))
        said = [name for name in ("illuminance_ratio", "illuminance_lux", "task") if getattr(self, name) is not None]
        if len(said) > 1:
            raise problem("at most one of illuminance_ratio, illuminance_lux and task", " and ".join(said))
        return self

    @field_validator("files")
    @classmethod
    def _files_exist(cls, value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for name, file in value.items():
            if name in tables.names("surroundings"):
                raise problem("names of your own", f'"{name}", an entry of assets/tables/surroundings.toml')
            if info.context is not None:
                find_image_file(file, Path(info.context["folder"]))
        return value


def _check_resolution(value: tuple[int, int]) -> tuple[int, int]:
    if not all(16 <= side <= 16384 for side in value) or math.prod(value) > MAX_PIXELS:
        raise problem(f"[width, height], each 16 to 16384 pixels and at most {MAX_PIXELS} pixels together")
    return value


class CamerasSection(Section):
    """[cameras]: where the views of a scene are taken from."""

    views: Annotated[Counts, Within(1, 64)] = Field(default=Counts(choices=(1,)), description="Views per scene.")
    azimuth_deg: Annotated[Numbers, Within(-360, 360)] = Field(
        default=between(0, 360), description="Direction of the camera about the vertical, degrees."
    )
    elevation_deg: Annotated[Numbers, Within(1, 90)] = Field(
        default=between(20, 65), description="Height of the camera above the horizontal, degrees."
    )
    roll_deg: Annotated[Numbers, Within(-180, 180)] = Field(
        default=constant(0), description="Rotation about the optical axis, degrees."
    )
    distance_m: Annotated[Numbers, Within(0.01, 100)] | None = Field(
        default=None, description="From the lens to the point looked at, metres. Either this or fill."
    )
    fill: Annotated[Numbers, Within(0.02, 2)] | None = Field(
        default=None, description="Share of the frame's short side that the parts' bounding sphere covers."
    )
    focal_mm: Annotated[Numbers, Within(1, 2000)] = Field(default=constant(35), description="Focal length, mm.")
    sensor_width_mm: float = Field(default=13.1, ge=1, le=200, description="Width of the image on the sensor, mm.")
    resolution: Annotated[tuple[int, int], AfterValidator(_check_resolution)] = Field(
        default=(640, 480), description="Width and height, pixels."
    )
    look_at_jitter: float = Field(
        default=0.1, ge=0, le=1, description="Largest look-at offset, in radii of the parts' bounding sphere."
    )

    @model_validator(mode="after")
    def _one_of_distance_and_fill(self) -> CamerasSection:
        if (self.distance_m is None) == (self.fill is None):
            found = "neither" if self.fill is None else "both"
            raise problem("exactly one of distance_m and fill", found)
        return self


class DatasetSpec(Section):
    """A whole spec file."""

    schema_version: Literal[1] = Field(description="Version of this format: 1.")
    dataset: DatasetSection = Field(description="What is built.")
    split: SplitSection = Field(default=SplitSection(), description="Probability of each split.")
    parts: dict[Slug, PartSection] = Field(description="The CAD files, by part id.")
    metals: MetalWeights = Field(description="Metals, with weights.")
    finishes: FinishWeights = Field(description="Finish schemes, with weights.")
    films: FilmWeights = Field(default={"bare": 1.0}, description="Films on the metal, with weights; bare = none.")
    items: ItemsSection = Field(default=ItemsSection(), description="How many parts a scene shows.")
    defects: DefectsSection = Field(default=DefectsSection(), description="What is wrong with the parts.")
    arrangement: ArrangementSection = Field(description="What the parts lie on.")
    rigs: RigsSection = Field(description="The lamps of the station.")
    surroundings: SurroundingsSection = Field(description="What the metal sees beyond the rig.")
    cameras: CamerasSection = Field(description="Where the views are taken from.")
    glass: GlassSection = Field(default=GlassSection(), description="A pane between camera and parts.")
    depth_sensor: DepthSensorSection = Field(
        default=DepthSensorSection(), description="A structured-light sensor, and where it would fail."
    )
    render: RenderSection = Field(default=RenderSection(), description="How a scene is path-traced.")
    photos: PhotosSection = Field(description="How each view is photographed.")
    flicker: FlickerSection = Field(default=FlickerSection(), description="How the lamps' light varies over time.")
    optics: OpticsSection = Field(default=OpticsSection(), description="What a lens has in a photo beyond its design.")
    clips: ClipsSection = Field(default=ClipsSection(), description="Which scenes are filmed, and how.")
    transfer: TransferSection = Field(
        default=TransferSection(), description="Whether and how photos are moved towards real photographs."
    )

    painted: PaintedSection = Field(
        default=PaintedSection(), description="Surface plates and backdrops that a model paints for the scenes."
    )

    @model_validator(mode="after")
    def _photos_large_enough_for_transfer(self) -> DatasetSpec:
        if self.transfer.use != "off" and min(self.cameras.resolution) < SMALLEST_PX:
            raise problem(
                f"cameras.resolution of at least {SMALLEST_PX} pixels a side for transfer",
                " x ".join(str(side) for side in self.cameras.resolution),
            )
        return self

    @model_validator(mode="after")
    def _belts_for_conveyor_clips(self) -> DatasetSpec:
        on_belts = self.clips.motion.get("part_conveyor", 0.0) > 0 and self.clips.probability > 0
        if on_belts and self.arrangement.kinds.get("conveyor", 0.0) == 0.0:
            raise problem("conveyor among arrangement.kinds for clips.motion part_conveyor", "no conveyor")
        return self

    @model_validator(mode="after")
    def _films_fit_metals(self) -> DatasetSpec:
        for part_id, part in self.parts.items():
            films = part.films or self.films
            for metal, weight in (part.metals or self.metals).items():
                if weight > 0 and part.weight > 0 and not films_on(metal, films):
                    named = ", ".join(film for film, share in films.items() if share > 0)
                    raise problem(
                        f"a film that {metal} can carry for part {part_id} (bare fits every metal)", f"only {named}"
                    )
        return self

    _folder: Path = PrivateAttr(default_factory=Path)

    @property
    def folder(self) -> Path:
        """Folder of the spec file: part files that do not begin with "assets:" are relative to it."""
        return self._folder

    def in_folder(self, folder: Path) -> DatasetSpec:
        """The same spec as if it had been read from *folder*."""
        copy = self.model_copy()
        copy._folder = folder
        return copy

    @field_validator("parts")
    @classmethod
    def _some_part(cls, value: dict[str, PartSection]) -> dict[str, PartSection]:
        if not any(part.weight > 0 for part in value.values()):
            raise problem("at least one [parts.<id>] with a weight above 0", f"{len(value)} parts, none with a weight")
        return value
