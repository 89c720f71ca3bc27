"""`models check`: is a model of the store whole, is it what its record says, and does it give a picture?

Covers: checksum, every tensor's name and shape against the networks, number formats, one test image. Does not cover:
whether its pictures are any good.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError
from pipeline.transfer.architecture import WORDS
from pipeline.transfer.checkpoint import FoundModel, find_model, model_hash
from pipeline.transfer.configs import ModelConfig, sd15_config
from pipeline.transfer.devices import DtypeName
from pipeline.transfer.ldm_layout import ldm_shapes
from pipeline.transfer.load import ModelChoice
from pipeline.transfer.store import model_path, model_record

TEST_SIDE = 256
TEST_SEED = 1
_SHOWN = 5
_OPTIONAL = (".position_ids", ".num_batches_tracked")
_NEW_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_OLD_ATTENTION = re.compile(rf"(?<=mid_block\.attentions\.0)\.({'|'.join(_NEW_ATTENTION)})\.")


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

    Raises InputError at the first thing that is wrong.
    """
    config = config or sd15_config()
    record = model_record(name)
    path = model_path(name)
    found = find_model(path, config)
    yield CheckLine("kind", WORDS[found.kind])
    checksum = model_hash(path)
    if checksum != record.sha256:
        raise InputError(f"expected SHA-256 {record.sha256} of {path}, found {checksum}: it was changed; add it again")
    yield CheckLine("sha256", checksum)
    yield CheckLine("types", ", ".join(f"{dtype} x {count}" for dtype, count in found.dtypes().items()))
    if found.kind != "sd15":
        return
    yield CheckLine("tensors", f"{compare_shapes(found, config)}, every name and shape as the networks want them")
    image = try_picture(ModelChoice(path, device=device, dtype=dtype, config=config))
    if picture is not None:
        cv2.imwrite(str(picture), image[..., ::-1])
    yield CheckLine("test image", f"{TEST_SIDE} x {TEST_SIDE}, finite, mean {image.mean():.0f} of 255")


def compare_shapes(found: FoundModel, config: ModelConfig) -> int:
    """Compare every tensor of a checkpoint with the networks; returns how many there are.

    A folder says by its own configs how large its networks are; *config* does for a file. Raises InputError that names
    the first missing tensors and wrong shapes.
    """
    wanted = expected_shapes(ModelConfig(found.path) if found.layout == "folder" else config)
    if found.layout == "file":
        pairs = [("", ldm_shapes(wanted, config))]
    else:
        pairs = [(part, shapes) for part, shapes in wanted.items()]
    wrong, count = [], 0
    for part, shapes in pairs:
        header = found.headers[part]
        names = {_plain(name): name for name in header.tensors}
        for name, shape in shapes.items():
            there = header.shape(names.get(_plain(name), name))
            count += 1
            if there is None or _squeezed(there) != _squeezed(shape):
                wrong.append(f"{name} {'is missing' if there is None else f'is {there}, not {shape}'}")
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise InputError(
            f"expected the tensors of SD1.5 in {found.path}, found: {'; '.join(wrong[:_SHOWN])}{more}; "
            f"download or copy the whole model again, or use another"
        )
    return count


def expected_shapes(config: ModelConfig) -> dict[str, dict[str, tuple[int, ...]]]:
    """Network -> name -> shape of every weight, of networks without memory for them."""
    import torch

    from pipeline.transfer.offline import stay_offline

    stay_offline()
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.device("meta"):
        networks: dict[str, Any] = {
            "unet": UNet2DConditionModel.from_config(config.read("unet")),
            "vae": AutoencoderKL.from_config(config.read("vae")),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**config.read("text_encoder"))),
        }
    return {
        part: {name: tuple(v.shape) for name, v in network.state_dict().items() if not name.endswith(_OPTIONAL)}
        for part, network in networks.items()
    }


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


def _plain(name: str) -> str:
    """One name for what folders of older libraries call otherwise: transformers put text_model before the text
    encoder's names, and diffusers had words of its own in the VAE's attention."""
    return _OLD_ATTENTION.sub(lambda found: f".{_NEW_ATTENTION[found[1]]}.", name.removeprefix("text_model."))


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Linear layers and 1 x 1 convolutions hold the same numbers, and both layouts are about."""
    return shape[:2] if shape[2:] == (1, 1) else shape
