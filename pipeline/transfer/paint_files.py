"""Painted pictures as files, each with a record of what made it.

Does not cover: painting (`paint`), using the pictures in scenes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from pipeline.errors import EnvironmentProblem, InputError
from pipeline.records import sha256_file, to_dict, write_json
from pipeline.transfer.engine import Engine
from pipeline.transfer.photos import SEED_LIMIT
from pipeline.transfer.settings import PaintSettings
from pipeline.transfer.store import ModelRecord


def paint_files(
    engine: Engine, model: ModelRecord | None, prompt: str, count: int, seed: int, settings: PaintSettings, out: Path
) -> Iterator[Path]:
    """Paint *count* pictures of *prompt* with seeds *seed*, *seed* + 1 ... into *out*, as paint-<seed>.png and .json.

    Raises InputError for prompts that do not fit and files that are there already, EnvironmentProblem for a folder that
    cannot be written.
    """
    if not 0 <= seed <= SEED_LIMIT - count:
        raise InputError(f"expected a seed from 0 to 2**63 - {count}, found {seed}")
    seeds = list(range(seed, seed + count))
    paths = [out / f"paint-{one}.png" for one in seeds]
    taken = [path.name for path in paths if path.exists()]
    if taken:
        raise InputError(f"expected no {taken[0]} in {out}, found one; choose another --seed or --out")
    for first in range(0, count, settings.batch):
        part = slice(first, first + settings.batch)
        pictures = engine.paint([prompt] * len(seeds[part]), seeds[part], settings)
        for path, one, picture in zip(paths[part], seeds[part], pictures, strict=True):
            _write(path, picture, provenance(engine, model, prompt, one, settings))
            yield path


def provenance(
    engine: Engine, model: ModelRecord | None, prompt: str, seed: int, settings: PaintSettings
) -> dict[str, Any]:
    """Everything that the bytes of a painted picture depend on, and the licence of what painted it."""
    return {
        "made_by": "glint models paint",
        "prompt": prompt,
        "seed": seed,
        "settings": to_dict(settings),
        "model": None if model is None else {"name": model.name, "source": model.source, "licence": model.licence},
        **engine.key(),
    }


def _write(path: Path, picture: Any, record: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        done = cv2.imwrite(str(path), picture[..., ::-1])
    except OSError as error:
        raise EnvironmentProblem(f"expected to write {path}, found: {error.strerror}; choose another --out") from error
    if not done:
        raise EnvironmentProblem(f"expected to write {path}, the file could not be made; choose another --out")
    write_json(path.with_suffix(".json"), {**record, "file": path.name, "sha256": sha256_file(path)})
