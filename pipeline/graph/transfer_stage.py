"""The stage `transfer`: photos of a scene through Stable Diffusion 1.5, each tried down the ladder and measured.

Covers: which rooms it calls, the rows and pictures that it leaves, what of the machine belongs into its key. Does not
cover: which try a photo is kept from (`transfer_choice`, when all scenes are known), the engine (`transfer`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.dataset.store import ROWS_FILE
from pipeline.graph.model_identity import ModelIdentity
from pipeline.graph.stage import Machine, Resource, RunReport
from pipeline.graph.tool_versions import versions
from pipeline.pictures import write_picture
from pipeline.records import from_dict, read_json, sha256_file, to_dict, write_json
from pipeline.spec.scene import SceneSpec, photo_id_of, scene_shots
from pipeline.spec.transfer import PhotoTransfer, TransferSpec

if TYPE_CHECKING:
    from pipeline.transfer.camera_photos import CameraPhoto, SceneRows
    from pipeline.transfer.climb import Climbed
    from pipeline.transfer.place import ModelsUsed
    from pipeline.transfer.shared_engine import SharedEngine

PICTURES: Final = "transfer"
"""Folder of the pictures, below the stage's output."""


class TransferStage:
    """Camera photos become candidates for the dataset's photos."""

    name = "transfer"
    version = 3
    resource: Resource = "render"

    def tools(self) -> Mapping[str, str]:
        """What the gate measures with; versions of torch and its kin are among the fields."""
        return versions("numpy", "opencv-python", "openimageio")

    def identify(self, spec: TransferSpec, machine: Machine) -> ModelIdentity:
        """What this machine would transfer with. Raises as `Identify` says."""
        from pipeline.transfer.place import models_used, need_libraries
        from pipeline.transfer.planned_prompts import expect_negative_prompt

        need_libraries()
        used = models_used(spec)
        expect_negative_prompt(spec)
        return identity_of(used, machine)

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write the pictures that may be kept, and a row per try. Raises BatchTooLarge where memory runs out: pictures
        of another batch would have other bytes than their key says."""
        from pipeline.transfer.shared_engine import expect_key, shared_engine

        spec, batch = spec_of_fields(fields), int(fields["identity"]["batch"])
        shared = shared_engine(spec, machine.device, fields["identity"]["dtype"], batch, machine.threads)
        expect_key(shared.engine, fields["identity"])
        (out / PICTURES).mkdir()
        with shared.member():
            climbed = _climb_all(fields, spec, inputs, shared)
            rows = [row for photo in climbed for row in try_rows(photo, fields, out)]
        write_json(out / ROWS_FILE, {"transfers": rows})
        return RunReport({"tries": float(len(rows))})


def identity_of(used: ModelsUsed, machine: Machine) -> ModelIdentity:
    """The models *used* on this machine. Raises InputError for names of devices, EnvironmentProblem for absent ones."""
    from pipeline.transfer.place import DEFAULT_BATCH, describe_here

    place = describe_here(machine.device, machine.dtype)
    return ModelIdentity(
        weights=used.weights,
        device=place.device,
        dtype=place.dtype,
        libraries=place.libraries,
        batch=machine.batch or DEFAULT_BATCH["gpu" if place.on_gpu else "cpu"],
        resource="gpu" if place.on_gpu else "render",
        licence=used.checkpoint.licence,
        source=used.checkpoint.source,
        gpus=place.gpus,
    )


def transfer_fields(scene: SceneSpec, spec: TransferSpec, identity: ModelIdentity) -> dict[str, Any]:
    """What the stage reads beside the bundle, its truth and its photos. Raises InputError for a bad template."""
    from pipeline.transfer.prompts import scene_prompt

    shots = scene_shots(scene)

    def photo(one: PhotoTransfer) -> dict[str, Any]:
        prompt = scene_prompt(one.template, scene, shots[one.view_index].rig_index)
        name = photo_id_of(scene.scene_id, one.view_index, one.photo_index)
        return {"photo_id": name, "prompt": prompt, "seed": one.seed}

    settings: dict[str, Any] = to_dict(spec)
    del settings["photos"]
    return {
        "schema_version": scene.schema_version,
        "scene_id": scene.scene_id,
        "settings": settings,
        "photos": [photo(one) for one in spec.photos],
        "identity": identity.key_fields(),
    }


def spec_of_fields(fields: Mapping[str, Any]) -> TransferSpec:
    """The TransferSpec behind the stage's fields, without its photos."""
    return from_dict(TransferSpec, {**fields["settings"], "photos": ()})


def _climb_all(
    fields: Mapping[str, Any], spec: TransferSpec, inputs: Mapping[str, Path], shared: SharedEngine
) -> Iterator[Climbed]:
    """All photos of the scene, a batch at a time: so no more of them are in memory than one call takes."""
    from pipeline.transfer.camera_photos import Wish, read_camera_photo
    from pipeline.transfer.climb import climb, refused
    from pipeline.transfer.shared_engine import at_strength, settings_of

    settings = settings_of(spec, int(fields["identity"]["batch"]))
    wishes = [Wish(**photo) for photo in fields["photos"]]
    read = partial(
        read_camera_photo,
        rows=_rows(inputs),
        render=inputs["render"],
        photos=inputs["photos"],
        protect=spec.protect,
        processes=spec.protect_processes,
        controls=[use.kind for use in spec.controls],
    )
    for first in range(0, len(wishes), settings.batch):
        good, bad = _by_prompt(shared, [read(wish) for wish in wishes[first : first + settings.batch]])
        yield from (refused(photo, spec.strengths[0], problem) for photo, problem in bad)
        yield from climb(
            good,
            lambda photos, strength: shared.attempt(photos, at_strength(settings, strength)),
            spec.strengths,
        )


def _by_prompt(
    shared: SharedEngine, photos: Sequence[CameraPhoto]
) -> tuple[list[CameraPhoto], list[tuple[CameraPhoto, str]]]:
    """Photos whose prompt the model can see to its end, and the others with the reason."""
    judged = [(photo, shared.prompt_problem(photo.prompt)) for photo in photos]
    return [photo for photo, why in judged if why is None], [(photo, why) for photo, why in judged if why is not None]


def _rows(inputs: Mapping[str, Path]) -> SceneRows:
    from pipeline.transfer.camera_photos import SceneRows

    render, truth, photos = (read_json(inputs[role] / ROWS_FILE) for role in ("render", "truth", "photos"))
    return SceneRows(render["views"], photos["photos"], truth["instances"], truth["defects"], photos["highlights"])


def try_rows(climbed: Climbed, fields: Mapping[str, Any], out: Path) -> Iterator[dict[str, Any]]:
    """Rows of the table transfers of one photo; pictures that may be kept are written below *out*."""
    photo = climbed.photo
    common = {"photo_id": photo.photo_id, "scene_id": fields["scene_id"], "prompt": photo.prompt, "seed": photo.seed}
    common["batch"] = climbed.batch or None
    records = enumerate(climbed.tries, 1)
    if climbed.round_trip is not None:
        yield {**common, "try_index": 0, **_record_columns(climbed.round_trip)}
    for (index, record), picture in zip(records, climbed.pictures, strict=True):
        row = {**common, "try_index": index, **_record_columns(record)}
        if picture is not None:
            path = f"{PICTURES}/{photo.photo_id}-t{index}.png"
            write_picture(out / path, picture)
            row |= {"picture_path": path, "sha256": sha256_file(out / path)}
        yield row


def _record_columns(record: Any) -> dict[str, Any]:
    return {
        "strength": record.strength,
        "scores": dict(record.scores),
        "exceeded": to_dict(record.exceeded),
        "problem": record.fault or None,
    }
