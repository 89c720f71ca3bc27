"""Processors: which one, in which number format, what it is called in a key, and what its failures mean.

Covers: choice, determinism, classes of devices, out of memory, devices that disappear. Does not cover: batches
(`engine`). fp16 on a CPU is refused: it runs about two hundred times slower than bf16 there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from importlib import metadata
from typing import Final, Literal, get_args

import torch

from pipeline.errors import EnvironmentProblem, InputError
from pipeline.transfer.place import LIBRARIES

DtypeName = Literal["auto", "float32", "bfloat16", "float16"]
_OUT_OF_MEMORY_TEXTS: Final = ("out of memory", "can't allocate memory", "alloc_cpu", "not enough memory")
_LOST_TEXTS: Final = ("cuda error", "hip error", "device-side", "no cuda-capable device", "driver", "nvml")
_ISAS: Final = (
    "SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI", "AVX512_CORE_BF16",
    "AVX512_CORE_FP16", "AVX512_CORE_AMX", "AVX512_CORE_AMX_FP16",
)  # fmt: skip
"""oneDNN's names of instruction sets on x86, each with what those before it can do."""
_FIRST_ISA_WITH_BF16: Final = _ISAS.index("AVX512_CORE_BF16")


class OutOfMemory(EnvironmentProblem):
    """The device has no memory for a batch of one."""


class DeviceLost(EnvironmentProblem):
    """The graphics card failed or went away while it worked; this process cannot use it again."""


def choose_device(wanted: str) -> torch.device:
    """ "auto" is the first CUDA device, else the CPU. Raises InputError for names, EnvironmentProblem for absences."""
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise InputError(f'expected a device such as "auto", "cpu" or "cuda:0", found {wanted!r}') from error
    if device.type == "cuda" and not (torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()):
        raise EnvironmentProblem(
            f"expected the graphics card {wanted}, found {torch.cuda.device_count()} that this torch "
            f"({torch.__version__}) can use; use --device cpu or install a driver and a CUDA build of torch"
        )
    if device.type not in ("cpu", "cuda"):
        raise InputError(f'expected the device "auto", "cpu" or "cuda:N", found {wanted!r}')
    return device


def choose_dtype(wanted: DtypeName, device: torch.device) -> torch.dtype:
    """ "auto" is bf16 where the device computes in it, else fp16 on a GPU and fp32 on a CPU."""
    if wanted not in get_args(DtypeName):
        raise InputError(f"expected a dtype of {', '.join(get_args(DtypeName))}, found {wanted!r}")
    if wanted == "float16" and device.type == "cpu":
        raise InputError("expected bfloat16 or float32 on a CPU, found float16, which is some 200 times slower there")
    if wanted != "auto":
        dtype: torch.dtype = getattr(torch, wanted)
        return dtype
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if cpu_computes_in_bf16() else torch.float32


def cpu_computes_in_bf16() -> bool:
    """Whether oneDNN, which computes torch's convolutions and products, has bf16 instructions on this processor.

    Decided by AVX512_BF16 and by what oneDNN may use of it (`onednn_isa`). Without, it takes bf16 all the same and is
    3 to 9 times slower than in fp32. AMX adds nothing: oneDNN uses it only where there is AVX512_BF16 too.
    """
    return torch.backends.mkldnn.is_available() and _ISAS.index(onednn_isa()) >= _FIRST_ISA_WITH_BF16


def onednn_isa() -> str:
    """The instruction set that oneDNN computes bf16 with: the processor's, up to ONEDNN_MAX_CPU_ISA (formerly
    DNNL_MAX_CPU_ISA). Steps between which its bf16 is the same are told apart only where that variable names them."""
    has = torch.cpu
    found = "SSE41"
    if has._is_avx512_bf16_supported():
        found = "AVX512_CORE_AMX" if has._is_amx_tile_supported() else "AVX512_CORE_BF16"
    elif has._is_avx512_supported():
        found = "AVX512_CORE"
    elif has._is_avx2_supported():
        found = "AVX2"
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", "")).upper()
    return min(found, limit, key=_ISAS.index) if limit in _ISAS else found


@contextlib.contextmanager
def exact_threads(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """One thread for fp32 on a CPU, so that bytes do not depend on how many there are.

    With more, torch's group norm adds up in as many pieces as there are threads and the last bits differ (torch 2.13,
    compared layer by layer). Machines that compute in bf16 keep their threads: their number did not matter there.
    """
    threads = torch.get_num_threads()
    pinned = device.type == "cpu" and dtype == torch.float32
    if pinned:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if pinned:
            torch.set_num_threads(threads)


def device_class(device: torch.device, dtype: torch.dtype) -> str:
    """What belongs to a key: "cpu avx512", in bf16 with what oneDNN computes it by ("cpu avx512 avx512_core_bf16"); or
    the name of the card and its compute capability."""
    if device.type == "cpu":
        vectors = f"cpu {torch.backends.cpu.get_cpu_capability().lower()}"
        # bf16 is rounded where the instructions say, so that each set of them gives other bytes.
        return f"{vectors} {onednn_isa().lower()}" if dtype == torch.bfloat16 else vectors
    major, minor = torch.cuda.get_device_capability(device)
    return f"{torch.cuda.get_device_name(device)} sm_{major}{minor}"


def count_gpus() -> int:
    """CUDA devices that this torch can use."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def library_versions() -> dict[str, str]:
    """Versions that the bytes of a result depend on."""
    return {name: metadata.version(name) for name in LIBRARIES}


def compute_deterministically() -> None:
    """Same input, same bytes on the same class of device: no tuning by measured time, no TF32, fixed algorithms."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read at the first CUDA call
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False


def is_out_of_memory(error: BaseException) -> bool:
    """True for every way in which an allocation fails."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _OUT_OF_MEMORY_TEXTS)


@contextlib.contextmanager
def device_errors(device: torch.device) -> Iterator[None]:
    """Turn what a failing graphics card raises into DeviceLost; other errors pass."""
    try:
        yield
    except RuntimeError as error:
        lost = isinstance(error, torch.AcceleratorError) or any(text in str(error).lower() for text in _LOST_TEXTS)
        if device.type == "cpu" or is_out_of_memory(error) or not lost:
            raise
        raise DeviceLost(
            f"expected {device} to go on working, found: {str(error).splitlines()[0]}; "
            f"look at the driver's log, then start the worker anew"
        ) from error


@contextlib.contextmanager
def working(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Everything that a computation needs about it: no gradients, exact threads, errors with a meaning."""
    with device_errors(device), exact_threads(device, dtype), torch.inference_mode():
        yield
