"""`models check`: is a model of the store whole, is it what its record says, and does it give a picture?

Covers: checksum, number formats; every tensor's name and shape of checkpoints and ControlNets, the layers of a LoRA,
the vectors of an embedding; one test image of a checkpoint. Does not cover: whether its pictures are any good.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.pictures import write_picture
from pipeline.transfer.architecture import WORDS
from pipeline.transfer.checkpoint import FoundModel, find_model, model_hash
from pipeline.transfer.configs import ModelConfig, sd15_config
from pipeline.transfer.devices import DtypeName
from pipeline.transfer.embedding import count_vectors
from pipeline.transfer.load import ModelChoice
from pipeline.transfer.lora_layers import compare_lora, expect_sd15_lora
from pipeline.transfer.store import model_path, model_record
from pipeline.transfer.tensor_shapes import compare_shapes, expected_shapes

TEST_SIDE = 256
TEST_SEED = 1


@dataclass(frozen=True)
class CheckLine:
    """One thing that was looked at and found right."""

    what: str
    found: str


def check_model(
    name: str,
    *,
    config: ModelConfig | None = None,
    device: str = "auto",
    dtype: DtypeName = "auto",
    picture: Path | None = None,
) -> Iterator[CheckLine]:
    """Check model *name*, a line at a time; a checkpoint also makes a test image, written to *picture* if named.

    Raises InputError at the first thing that is wrong, EnvironmentProblem when *picture* cannot be written.
    """
    config = config or sd15_config()
    record = model_record(name)
    path = model_path(name)
    found = find_model(path, config)
    if picture is not None:
        _expect_place(picture, found)
    yield CheckLine("kind", WORDS[found.kind])
    checksum = model_hash(path)
    if checksum != record.sha256:
        raise InputError(f"expected SHA-256 {record.sha256} of {path}, found {checksum}: it was changed; add it again")
    yield CheckLine("sha256", checksum)
    yield CheckLine("types", ", ".join(f"{dtype} x {count}" for dtype, count in found.dtypes().items()))
    yield _check_tensors(found, config)
    if found.kind != "sd15":
        return
    image = try_picture(ModelChoice(path, device=device, dtype=dtype, config=config))
    if picture is not None:
        write_picture(picture, image)
    yield CheckLine("test image", f"{TEST_SIDE} x {TEST_SIDE}, finite, mean {image.mean():.0f} of 255")


def _expect_place(picture: Path, found: FoundModel) -> None:
    if found.kind != "sd15":
        raise InputError(
            f"expected a checkpoint, of which alone a test image is made, found {WORDS[found.kind]}; "
            f"leave out --picture"
        )
    if picture.suffix.lower() != ".png":
        raise InputError(f"expected a name that ends in .png for --picture, found {picture.name!r}; add .png to it")
    if not picture.parent.is_dir():
        raise InputError(f"expected a folder to write {picture.name} in, found no {picture.parent}; make it first")


def _check_tensors(found: FoundModel, config: ModelConfig) -> CheckLine:
    """What tensors and their shapes say. Raises InputError where they are not those of Stable Diffusion 1.5."""
    if found.kind == "embedding":
        count = count_vectors(found.path, config)
        return CheckLine("vectors", f"{count} of {config.context} numbers, as the text encoder wants them")
    if found.kind == "lora":
        expect_sd15_lora(found.headers[""], found.path, config)
        count = compare_lora(found.headers[""], found.path, expected_shapes(config))
        return CheckLine("layers", f"{count}, each with the shapes of its layer of the UNet or the text encoder")
    return CheckLine("tensors", f"{compare_shapes(found, config)}, every name and shape as the networks want them")


def try_picture(choice: ModelChoice) -> NDArray[np.uint8]:
    """Transfer a picture of a disc in one UNet call. Raises InputError when what comes out is none."""
    from pipeline.transfer.engine import open_engine
    from pipeline.transfer.settings import TransferSettings

    photo = np.full((TEST_SIDE, TEST_SIDE, 3), 90, np.uint8)
    cv2.circle(photo, (TEST_SIDE // 2, TEST_SIDE // 2), TEST_SIDE // 4, (180, 180, 185), -1, cv2.LINE_AA)
    settings = TransferSettings(unet_calls=1, guidance=1.0, method="plain")
    result = open_engine(choice).transfer(photo[None], ["photo of a steel disc"], [TEST_SEED], settings)
    if result.problems[0] is not None:
        raise InputError(f"expected a picture from {choice.checkpoint}, found none: {result.problems[0]}")
    return np.asarray(result.images[0])
