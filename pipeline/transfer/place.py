"""What of a machine and its models decides about the bytes of a transferred photo, found out before any is made.

Covers: models by name with their checksums; class of device, number format and versions of the libraries, asked of a
process of its own, so that whoever plans a build need not load torch. Does not cover: loading (`load`).
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import EXIT_BAD_INPUT, EnvironmentProblem, InputError
from pipeline.records import to_dict
from pipeline.spec.transfer import TransferSpec
from pipeline.transfer.configs import sd15_config
from pipeline.transfer.embedding import count_vectors
from pipeline.transfer.store import ModelRecord, model_path, whole_model

if TYPE_CHECKING:
    from pipeline.transfer.load import ModelChoice

_DEVICE: Final = re.compile(r"auto|(cpu|cuda)(:\d+)?")
LIBRARIES: Final = ("torch", "diffusers", "transformers")
DEFAULT_BATCH: Final = {"cpu": 1, "gpu": 8}
_DESCRIBE_S: Final = 300.0


@dataclass(frozen=True)
class Place:
    """Where networks run, as far as their results depend on it."""

    device: str
    """Class of the device, "cpu avx512" or "NVIDIA H200 sm_90"."""
    dtype: str
    """"float32", "bfloat16" or "float16"."""
    libraries: Mapping[str, str]
    """Versions."""
    gpus: int = 0
    """Graphics cards of the machine; nothing depends on it but speed."""

    @property
    def on_gpu(self) -> bool:
        """Whether a graphics card computes."""
        return not self.device.startswith("cpu")


@dataclass(frozen=True)
class ModelsUsed:
    """The models of a TransferSpec, as this machine has them."""

    checkpoint: ModelRecord
    weights: Mapping[str, str]
    """What it is used for -> SHA-256; the same as `load.Networks.hashes`."""


def missing_libraries() -> list[str]:
    """Libraries of the extra `transfer` that are not installed."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name) is None]


def need_libraries() -> None:
    """Raise EnvironmentProblem unless torch and diffusers are installed."""
    missing = missing_libraries()
    if missing:
        raise EnvironmentProblem(
            f"expected {', '.join(missing)}, which the base installation leaves out, found none; "
            f"install the extra: pip install 'glint[transfer]' (in a checkout: pip install -e '.[transfer]')"
        )


def expect_machine(device: str, dtype: str) -> None:
    """Raise InputError for a device or number format that no machine has, without torch, so before all else."""
    if not _DEVICE.fullmatch(device):
        raise InputError(f'expected a device such as "auto", "cpu" or "cuda:0", found {device!r}; correct --device')
    if device.startswith("cpu") and dtype == "float16":
        raise InputError(
            "expected bfloat16 or float32 on a CPU, found float16, some 200 times slower there; correct --dtype"
        )


def models_used(spec: TransferSpec) -> ModelsUsed:
    """The models of *spec*. Raises ModelMissing for one that is not here, InputError for one of another kind."""
    checkpoint = whole_model(spec.model, "sd15")
    weights = {"checkpoint": checkpoint.sha256}
    for index, (name, scale) in enumerate(sorted(spec.loras.items())):
        weights[f"lora {index} x {scale:g}"] = whole_model(name, "lora").sha256
    if spec.negative_embedding:
        weights["negative embedding"] = whole_model(spec.negative_embedding, "embedding").sha256
    controls = {f"controlnet {use.kind}": whole_model(use.model, "controlnet").sha256 for use in spec.controls}
    return ModelsUsed(checkpoint, weights | controls)


def negative_vectors(spec: TransferSpec) -> int:
    """Tokens that the negative embedding of *spec* takes. Raises as `models_used` does, InputError for a wrong one."""
    path = _path(spec.negative_embedding, "embedding")
    return 0 if path is None else count_vectors(path, sd15_config())


def checkpoint_used(name: str) -> ModelsUsed:
    """A checkpoint by itself. Raises as `models_used` does."""
    record = whole_model(name, "sd15")
    return ModelsUsed(record, {"checkpoint": record.sha256})


def model_choice(spec: TransferSpec, device: str, dtype: Any) -> ModelChoice:
    """What `load` is asked for. Raises as `models_used` does."""
    from pipeline.transfer.load import LoraUse, ModelChoice

    return ModelChoice(
        model_path(spec.model, "sd15"),
        loras=tuple(LoraUse(model_path(name, "lora"), scale) for name, scale in sorted(spec.loras.items())),
        negative_embedding=_path(spec.negative_embedding, "embedding"),
        controlnets=tuple((use.kind, model_path(use.model, "controlnet")) for use in spec.controls),
        device=device,
        dtype=dtype,
        config=sd15_config(),
    )


def describe(device: str, dtype: Any) -> Place:
    """The place in this process. Raises InputError for names, EnvironmentProblem for what is not there."""
    need_libraries()
    from pipeline.transfer import devices

    chosen = devices.choose_device(device)
    number_format = devices.choose_dtype(dtype, chosen)
    return Place(
        devices.device_class(chosen, number_format),
        str(number_format).removeprefix("torch."),
        devices.library_versions(),
        devices.count_gpus(),
    )


def describe_here(device: str, dtype: str) -> Place:
    """`describe` on this machine in a process of its own; raises as it does."""
    need_libraries()
    command = [sys.executable, "-m", "pipeline.transfer.place", device, dtype]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DESCRIBE_S, check=False)
    except subprocess.TimeoutExpired:
        raise EnvironmentProblem(
            f"expected torch to name its device within {_DESCRIBE_S:.0f} s, found it hanging; look at the driver of "
            f"the graphics card, or use --device cpu"
        ) from None
    if done.returncode == 0:
        found = json.loads(done.stdout.splitlines()[-1])
        return Place(**found)
    message = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit status {done.returncode}"
    if done.returncode == EXIT_BAD_INPUT:
        raise InputError(message)
    raise EnvironmentProblem(message)


def _path(name: str | None, kind: str) -> Path | None:
    return None if name is None else model_path(name, kind)


def main(device: str, dtype: str) -> int:
    """Print the place as JSON; an error goes to stderr in one line."""
    from pipeline.errors import GlintError

    try:
        sys.stdout.write(json.dumps(to_dict(describe(device, dtype))) + "\n")
    except GlintError as error:
        sys.stderr.write(" ".join(str(error).splitlines()) + "\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
