"""The plan of a build: from drawn scenes to the actions that make them, with their keys. Nothing is run.

Covers: part, render, truth, photos and transfer actions of a scene, parts shared between scenes by key, a lazy plan of
a whole dataset. Does not cover: what is in the store already and why something is not (`explain`), the order of work
(`schedule`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.dataset.keep import KEEP_ALL
from pipeline.errors import InputError
from pipeline.graph.keys import action_key, load_stages, tools_of
from pipeline.graph.model_identity import ModelIdentity
from pipeline.graph.paint_stage import paint_fields, painted_role
from pipeline.graph.stage import PART_ROLE, Action, Input, Resource
from pipeline.graph.transfer_stage import transfer_fields
from pipeline.records import sha256_file
from pipeline.spec.fields import photo_fields, render_fields, truth_fields
from pipeline.spec.painted import PaintedSpec
from pipeline.spec.scene import ItemSpec, SceneSpec, SurroundingsSpec

if TYPE_CHECKING:
    from pipeline.spec.model import DatasetSpec

PART: Final = "part"
RENDER: Final = "render"
TRUTH: Final = "truth"
PHOTOS: Final = "photos"
TRANSFER: Final = "transfer"
PAINT: Final = "paint"

SCENE_STAGES: Final = (RENDER, TRUTH, PHOTOS, TRANSFER)
"""Stages that run once per scene, in the order in which their outputs are needed."""

SHARED_STAGES: Final = (PART, PAINT)
"""Stages whose outputs several scenes share."""

ALL_STAGES: Final = (PART, PAINT, *SCENE_STAGES)

CAD_FILE: Final = "cad"
"""Role of a part's CAD file."""
WORLD_FILE: Final = "world"
"""Role of the user's environment image."""


def part_role(part_id: str) -> str:
    """Role that a part plays for the stages that need it."""
    return PART_ROLE + part_id


@dataclass(frozen=True)
class ScenePlan:
    """Everything that has to be there for one scene."""

    scene_id: str
    scene: SceneSpec
    actions: tuple[Action, ...]
    """Parts, then render, truth, photos and transfer: each after what it needs."""
    keep: tuple[str, ...] = KEEP_ALL
    """What stays in the store."""

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is dropped from the render."""
        return {"truth", "bundles"} <= set(self.keep)

    @property
    def keys(self) -> dict[str, str]:
        """Stage -> key of the stages that run once per scene."""
        return {action.stage: action.key for action in self.actions if action.stage not in SHARED_STAGES}

    @property
    def parts(self) -> dict[str, str]:
        """Part id -> key."""
        return {action.label: action.key for action in self.actions if action.stage == PART}

    @property
    def pictures(self) -> dict[str, str]:
        """Id of a painted picture -> key."""
        return {action.label: action.key for action in self.actions if action.stage == PAINT}


class Catalog:
    """What plans are made with: the stages, and the files of one dataset spec, each hashed once.

    *resolve* gives the path of a part file as the spec calls it, *tolerance* the meshing tolerance of a part, *image*
    the path of an environment image, which it has looked through; all may raise InputError.
    """

    def __init__(
        self,
        stages: str,
        resolve: Callable[[str], Path],
        tolerance: Callable[[str], Mapping[str, Any]],
        image: Callable[[str], Path],
        transfer: ModelIdentity | None = None,
        painting: ModelIdentity | None = None,
    ) -> None:
        self.stages_path = stages
        self.stages = load_stages(stages)
        self._resolve = resolve
        self._tolerance = tolerance
        self._image = image
        self.transfer = transfer
        """What photos are transferred with; None = they are not."""
        self._painting = painting
        self._pictures: dict[str, Action] = {}
        self._parts: dict[str, Action] = {}
        self._worlds: dict[str, tuple[Path, str]] = {}

    def part(self, item: ItemSpec) -> Action:
        """The action that reads the CAD file of *item*."""
        if item.part_id not in self._parts:
            path = self._resolve(item.part_file)
            fields = {
                "file": path.name,
                "sha256": _hash(path),
                "format": path.suffix.lower().lstrip("."),
                "units": item.part_units,
                "tolerance": self._tolerance(item.part_id),
            }
            self._parts[item.part_id] = self.action(PART, item.part_id, fields, (), {CAD_FILE: str(path)})
        return self._parts[item.part_id]

    def world(self, surroundings: SurroundingsSpec) -> tuple[Path, str] | None:
        """Path and SHA-256 of the user's environment image; None for surroundings of the table."""
        if surroundings.file is None:
            return None
        if surroundings.file not in self._worlds:
            path = self._image(surroundings.file)
            self._worlds[surroundings.file] = (path, _hash(path))
        return self._worlds[surroundings.file]

    def pictures(self, painted: PaintedSpec | None) -> dict[str, Action]:
        """Role -> the action that paints a picture of a scene. Raises ValueError where nobody was asked to paint."""
        found = {}
        for kind, picture in painted.pictures().items() if painted is not None else ():
            if self._painting is None or painted is None:
                raise ValueError(f"expected a model for the picture {picture.picture_id}, found none")
            if picture.picture_id not in self._pictures:
                fields = paint_fields(kind, picture, painted.painting, self._painting)
                action = self.action(PAINT, picture.picture_id, fields, (), resource=self._painting.resource)
                self._pictures[picture.picture_id] = action
            found[painted_role(kind)] = self._pictures[picture.picture_id]
        return found

    def action(
        self,
        stage: str,
        label: str,
        fields: Mapping[str, Any],
        inputs: tuple[Input, ...],
        files: Mapping[str, str] | None = None,
        resource: Resource | None = None,
    ) -> Action:
        """One action with its key. *resource*: what it occupies, if not what its stage says."""
        runner = self.stages[stage]
        key = action_key(runner, fields, inputs, tools_of(self.stages_path, stage))
        return Action(stage, key, label, fields, inputs, resource or runner.resource, files or {})


def catalog_of(
    spec: DatasetSpec, stages: str, transfer: ModelIdentity | None = None, painting: ModelIdentity | None = None
) -> Catalog:
    """The catalog of a dataset spec, with the registry of stages at "module:attribute".

    *transfer*, *painting*: what photos are transferred and pictures painted with, if they are (`transfer_plan`).
    """
    from pipeline.spec.fields import part_tolerance
    from pipeline.spec.files import resolve_part_file

    return Catalog(
        stages,
        resolve=lambda name: resolve_part_file(name, spec.folder).absolute(),
        tolerance=lambda part_id: part_tolerance(spec, part_id),
        image=lambda name: _checked_image(name, spec.folder),
        transfer=transfer,
        painting=painting,
    )


def _checked_image(name: str, folder: Path) -> Path:
    """Path of an environment image that can light a scene: nothing is rendered before that is known."""
    from pipeline.light.environment_file import read_environment
    from pipeline.spec.files import resolve_image_file

    path = resolve_image_file(name, folder).absolute()
    read_environment(path)
    return path


def plan_scene(scene: SceneSpec, catalog: Catalog, keep: tuple[str, ...] = KEEP_ALL) -> ScenePlan:
    """The actions of one scene; no photos where *keep* does not name them.

    Raises InputError for a part file or an environment image that cannot be read.
    """
    if scene.render.budget is not None:
        from pipeline.graph.noise_budget import with_budget  # only now: it needs the camera, and that OpenCV

        scene = with_budget(scene)
    parts = {item.part_id: catalog.part(item) for item in scene.items}
    part_inputs = tuple(Input(part_role(part_id), PART, action.key) for part_id, action in sorted(parts.items()))
    world = catalog.world(scene.surroundings)
    pictures = catalog.pictures(scene.painted)
    render = catalog.action(
        RENDER,
        scene.scene_id,
        render_fields(scene, world[1] if world else None),
        part_inputs + tuple(Input(role, PAINT, action.key) for role, action in pictures.items()),
        {WORLD_FILE: str(world[0])} if world else {},
    )
    from_render = (Input(RENDER, RENDER, render.key),)
    truth = catalog.action(TRUTH, scene.scene_id, truth_fields(scene), from_render + part_inputs)
    actions = [*parts.values(), *pictures.values(), render, truth]
    if PHOTOS in keep:
        photos = catalog.action(PHOTOS, scene.scene_id, photo_fields(scene), from_render)
        actions += [photos, *_transfer(scene, catalog, render, truth, photos)]
    return ScenePlan(scene.scene_id, scene, tuple(actions), keep)


def _transfer(scene: SceneSpec, catalog: Catalog, *needed: Action) -> list[Action]:
    """The action that transfers the scene's photos, if any is to be transferred; it needs the actions *needed*."""
    spec, identity = scene.transfer, catalog.transfer
    if identity is None or spec is None or not spec.photos:
        return []
    inputs = tuple(Input(action.stage, action.stage, action.key) for action in needed)
    fields = transfer_fields(scene, spec, identity)
    return [catalog.action(TRANSFER, scene.scene_id, fields, inputs, resource=identity.resource)]


def plan_build(spec: DatasetSpec, catalog: Catalog, limit: int | None = None) -> Iterator[ScenePlan]:
    """Plans of the first *limit* scenes of *spec* (all when None), drawn one at a time as they are asked for."""
    from pipeline.spec.draw import draw_scene

    for index in range(scene_count(spec, limit)):
        yield plan_scene(draw_scene(spec, index), catalog, spec.dataset.keep)


def scene_count(spec: DatasetSpec, limit: int | None = None) -> int:
    """Scenes that `plan_build` yields."""
    return spec.dataset.scenes if limit is None else min(limit, spec.dataset.scenes)


def _hash(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as error:
        raise InputError(f"expected a file at {path}, found: {error.strerror or error}; check the path") from error
