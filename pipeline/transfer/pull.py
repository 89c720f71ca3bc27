"""Downloading known models from the Hugging Face hub: the only module of the project that uses the network.

Covers: the licence, which must be accepted, and checksums. Does not cover: keeping models (`store`). The
huggingface_hub library does the download; interrupted ones go on where they stopped.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.errors import EnvironmentProblem, InputError
from pipeline.records import sha256_file
from pipeline.tables import entry
from pipeline.transfer.store import ModelRecord, add_model, models_folder

Download = Callable[[str, str, Path], Path]
"""(repository, file, folder) -> the file below the folder."""
_DOWNLOADS: Final = ".downloads"


@dataclass(frozen=True)
class KnownModel:
    """An entry of assets/tables/models."""

    name: str
    repo: str
    files: tuple[str, ...]
    kind: str
    licence: str
    page: str
    note: str
    sha256: str | None

    def lines(self) -> list[str]:
        """What a user must read before pulling it."""
        files = ", ".join(self.files)
        return [f"{self.name}: {self.note}", f"from:    {self.page} ({files})", f"licence: {self.licence}"]


def known_model(name: str) -> KnownModel:
    """The entry *name* of assets/tables/models. Raises InputError that lists what there is."""
    row: dict[str, Any] = entry("models", name, "model")
    return KnownModel(
        name, row["repo"], tuple(row["files"]), row["kind"], row["licence"], row["page"], row["note"], row.get("sha256")
    )


def pull(name: str, accept_licence: bool, download: Download | None = None) -> ModelRecord:
    """Download model *name* and add it to the store under that name.

    Raises InputError when its licence is not accepted, EnvironmentProblem when it cannot be downloaded or arrives with
    other content than its checksum promises.
    """
    model = known_model(name)
    if not accept_licence:
        raise InputError(
            "\n".join(["expected the licence to be accepted:", *model.lines(), "read it, then add --accept-licence"])
        )
    target = models_folder() / _DOWNLOADS / name
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(
            f"expected to write below {target}, found: {error.strerror}; set GLINT_MODELS"
        ) from error
    fetch = download or _from_hub
    files = [fetch(model.repo, file, target) for file in model.files]
    if model.sha256 is not None:
        _check(files[0], model.sha256)
    weights = files[0] if len(files) == 1 else _together(files, target / model.name)
    record = add_model(weights, name, model.licence, source=model.page, move=True)
    shutil.rmtree(target, ignore_errors=True)
    return record


def _check(path: Path, expected: str) -> None:
    found = sha256_file(path)
    if found != expected:
        path.unlink()
        raise EnvironmentProblem(
            f"expected SHA-256 {expected} of {path.name}, found {found}: damaged on the way or changed by its author; "
            f"it was removed, pull again"
        )


def _together(files: list[Path], folder: Path) -> Path:
    """One folder with all *files*."""
    folder.mkdir(exist_ok=True)
    for file in files:
        file.replace(folder / file.name)
    return folder


def _from_hub(repo: str, file: str, folder: Path) -> Path:
    """The hub's own client. Its checksum of the file, where it publishes one, must be that of what arrived."""
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise EnvironmentProblem(
            "expected the huggingface_hub library, found none; pip install 'glint[transfer]'"
        ) from error
    try:
        path = Path(hub.hf_hub_download(repo, file, local_dir=folder))
        published = hub.get_hf_file_metadata(hub.hf_hub_url(repo, file)).etag
    except Exception as error:  # the client passes on errors of several network libraries
        raise EnvironmentProblem(
            f"expected to download {file} of {repo}, found {type(error).__name__}: {_first_line(error)}; check the "
            f"network, or download the file elsewhere and run `glint models add FILE`"
        ) from error
    if published and len(published) == 64:
        _check(path, published)
    return path


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]
