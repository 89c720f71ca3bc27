"""The stage `paint`: one picture out of a prompt, for the scenes that use it.

Covers: which rooms it calls, the picture and its row of provenance, its place in a plan. Does not cover: painting
(`transfer.paint`), what scenes do with the picture (`surface.painted`, `light.backdrop`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pipeline.dataset.store import ROWS_FILE
from pipeline.graph.model_identity import ModelIdentity
from pipeline.graph.stage import Machine, Resource, RunReport
from pipeline.graph.tool_versions import versions
from pipeline.pictures import write_picture
from pipeline.records import from_dict, sha256_file, to_dict, write_json
from pipeline.spec.painted import PaintedKind, PaintedPicture, PaintingSpec, PaintRequest

PICTURE: Final = "picture.png"
"""File of the picture in the stage's output."""


def painted_role(kind: PaintedKind) -> str:
    """Role that a painted picture plays for the render, for example "painted:surface"."""
    return f"painted:{kind}"


class PaintStage:
    """A prompt becomes a picture."""

    name = "paint"
    version = 2
    resource: Resource = "render"

    def tools(self) -> Mapping[str, str]:
        """What writes the picture; versions of torch and its kin are among the fields."""
        return versions("opencv-python")

    def identify(self, request: PaintRequest, machine: Machine) -> ModelIdentity:
        """What this machine would paint with. Raises as `Identify` says."""
        from pipeline.graph.transfer_stage import identity_of
        from pipeline.transfer.place import checkpoint_used, need_libraries
        from pipeline.transfer.planned_prompts import expect_painting_prompts

        need_libraries()
        used = checkpoint_used(request.painting.model)
        expect_painting_prompts(request)
        return identity_of(used, replace(machine, batch=1))

    def run(self, fields: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, machine: Machine) -> RunReport:
        """Write the picture and its row."""
        from pipeline.transfer.shared_engine import expect_key, paint_settings, painting_engine

        painting = from_dict(PaintingSpec, fields["painting"])
        engine = painting_engine(painting, machine.device, fields["identity"]["dtype"], machine.threads)
        expect_key(engine, fields["identity"])
        picture = engine.paint([fields["prompt"]], [int(fields["seed"])], paint_settings(painting))[0]
        write_picture(out / PICTURE, picture)
        write_json(out / ROWS_FILE, {"painted": [picture_row(fields, out / PICTURE)]})
        return RunReport({}, tuple(engine.notes))


def paint_fields(
    kind: PaintedKind, picture: PaintedPicture, painting: PaintingSpec, identity: ModelIdentity
) -> dict[str, Any]:
    """What the stage reads: not where and how large the picture will stand."""
    return {
        "picture_id": picture.picture_id,
        "kind": kind,
        "prompt": picture.prompt,
        "seed": picture.seed,
        "painting": to_dict(painting),
        "identity": identity.key_fields(),
        "licence": identity.licence,
    }


def picture_row(fields: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The row of the table painted: where a picture comes from."""
    painting, identity = dict(fields["painting"]), fields["identity"]
    return {
        "picture_id": fields["picture_id"],
        "kind": fields["kind"],
        "picture_path": path.name,
        "sha256": sha256_file(path),
        "prompt": fields["prompt"],
        "negative_prompt": painting.pop("negative_prompt"),
        "seed": fields["seed"],
        "model": painting.pop("model"),
        "settings": painting,
        "model_sha256": identity["weights"]["checkpoint"],
        "licence": fields["licence"],
        "device": identity["device"],
        "dtype": identity["dtype"],
        "libraries": dict(identity["libraries"]),
    }
