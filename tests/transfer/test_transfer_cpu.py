"""A CPU as transfer uses it: which number format is chosen there, and that a checkpoint is never in memory whole."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import weakref

import pytest

pytestmark = pytest.mark.torch

CHOOSE_AND_CONVOLVE = """
import torch
from pipeline.transfer.devices import choose_dtype
print("chosen", choose_dtype("auto", torch.device("cpu")))
layer = torch.nn.Conv2d(64, 64, 3).bfloat16().to(memory_format=torch.channels_last)
with torch.inference_mode():
    layer(torch.ones(1, 64, 32, 32, dtype=torch.bfloat16).contiguous(memory_format=torch.channels_last))
"""
NATIVE_MARKS = ("_bf16", "_fp16", "amx", "avx10")
"""What the names of oneDNN's instruction sets with bf16 contain."""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="ONEDNN_MAX_CPU_ISA names x86 instructions")
@pytest.mark.parametrize("limit", ["ALL", "AVX512_CORE", "AVX2"])
def test_auto_takes_bf16_exactly_where_onednn_computes_a_convolution_in_it(limit):
    env = os.environ | {"ONEDNN_VERBOSE": "1", "ONEDNN_MAX_CPU_ISA": limit}
    run = subprocess.run(
        [sys.executable, "-c", CHOOSE_AND_CONVOLVE], env=env, capture_output=True, text=True, timeout=120, check=True
    )
    lines = run.stdout.splitlines()
    kernels = [line.split(",")[6] for line in lines if ",primitive,exec,cpu,convolution," in line]
    instructions = [kernel.rsplit(":", 1)[-1] for kernel in kernels]  # of "brg_conv_fwd:avx512_core_bf16"
    native = any(mark in name for name in instructions for mark in NATIVE_MARKS)
    assert f"chosen torch.{'bfloat16' if native else 'float32'}" in lines, instructions


@pytest.mark.parametrize(
    ("flag", "env", "expected"),
    [
        (True, {}, "bfloat16"),
        (False, {}, "float32"),
        (True, {"ONEDNN_MAX_CPU_ISA": "avx512_core_vnni"}, "float32"),
        (True, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}, "bfloat16"),
        (True, {"DNNL_MAX_CPU_ISA": "AVX2"}, "float32"),
        (True, {"DNNL_MAX_CPU_ISA": "AVX2", "ONEDNN_MAX_CPU_ISA": "ALL"}, "bfloat16"),
    ],
)
def test_auto_follows_the_processor_and_onednns_limit(flag, env, expected, monkeypatch):
    import torch

    from pipeline.transfer.devices import choose_dtype

    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: flag)
    assert choose_dtype("auto", torch.device("cpu")) == getattr(torch, expected)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert choose_dtype("auto", torch.device("cpu")) == torch.float32


CLASS_AND_BYTES = """
import hashlib, torch
from pipeline.transfer.devices import device_class
torch.set_num_threads(1)
torch.manual_seed(0)
layers = torch.nn.Sequential(torch.nn.Conv2d(64, 64, 3), torch.nn.Flatten(2), torch.nn.Linear(900, 64)).bfloat16()
with torch.inference_mode():
    made = layers(torch.randn(1, 64, 32, 32).bfloat16())
print(device_class(torch.device("cpu"), torch.bfloat16), device_class(torch.device("cpu"), torch.float32), sep=";")
print(hashlib.sha256(made.float().numpy().tobytes()).hexdigest())
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="ONEDNN_MAX_CPU_ISA names x86 instructions")
def test_instructions_that_give_other_bytes_in_bf16_are_another_class():
    found = {}
    for limit in ("ALL", "AVX512_CORE", "AVX2"):
        env = os.environ | {"ONEDNN_MAX_CPU_ISA": limit}
        command = [sys.executable, "-c", CLASS_AND_BYTES]
        run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=True)
        classes, digest = run.stdout.split("\n")[:2]
        found[limit] = (*classes.split(";"), digest)
    bytes_of = {in_bf16: digest for in_bf16, _, digest in found.values()}
    assert all(bytes_of[in_bf16] == digest for in_bf16, _, digest in found.values())
    assert found["AVX2"][0].endswith(" avx2")
    assert len({in_fp32 for _, in_fp32, _ in found.values()}) == 1


@pytest.mark.parametrize(
    ("flags", "limit", "expected"),
    [
        ({}, "", "SSE41"),
        ({"avx2"}, "", "AVX2"),
        ({"avx2", "avx512"}, "ALL", "AVX512_CORE"),
        ({"avx2", "avx512", "avx512_bf16"}, "", "AVX512_CORE_BF16"),
        ({"avx2", "avx512", "avx512_bf16"}, "avx512_core", "AVX512_CORE"),
        ({"avx2", "avx512", "avx512_bf16", "amx_tile"}, "", "AVX512_CORE_AMX"),
        ({"avx2", "avx512", "avx512_bf16", "amx_tile"}, "AVX512_CORE_BF16", "AVX512_CORE_BF16"),
        ({"avx2"}, "AVX512_CORE_AMX", "AVX2"),
    ],
)
def test_the_instructions_of_bf16_are_the_processors_up_to_onednns_limit(flags, limit, expected, monkeypatch):
    import torch

    from pipeline.transfer.devices import device_class, onednn_isa

    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    for flag in ("avx2", "avx512", "avx512_bf16", "amx_tile"):
        monkeypatch.setattr(torch.cpu, f"_is_{flag}_supported", lambda flag=flag: flag in flags)
    assert onednn_isa() == expected
    cpu = torch.device("cpu")
    assert device_class(cpu, torch.bfloat16) == f"{device_class(cpu, torch.float32)} {expected.lower()}"


def test_the_tensors_of_one_network_are_gone_before_the_next_is_read(tiny, monkeypatch):
    import torch

    from pipeline.transfer import single_file

    read, alive = single_file.tensors_below, []
    seen: list[weakref.ref] = []

    def watched(path, prefix):
        alive.append(sum(reference() is not None for reference in seen))
        tensors = read(path, prefix)
        assert tensors
        seen.extend(weakref.ref(tensor) for tensor in tensors.values())
        return tensors

    monkeypatch.setattr(single_file, "tensors_below", watched)
    pipe = single_file.pipeline_of_file(tiny.file, tiny.config, torch.bfloat16)
    assert alive == [0, 0, 0]  # UNet, VAE, text encoder
    networks = (pipe.unet, pipe.vae, pipe.text_encoder)
    assert {value.dtype for network in networks for value in network.parameters()} == {torch.bfloat16}
    assert pipe.safety_checker is None


def test_one_file_loads_as_the_library_loads_it(tiny):
    import torch
    from diffusers import StableDiffusionPipeline

    from pipeline.transfer.single_file import pipeline_of_file
    from pipeline.transfer.tokenizer import make_tokenizer

    theirs = StableDiffusionPipeline.from_single_file(
        str(tiny.file),
        config=str(tiny.config.folder),
        dtype=torch.bfloat16,
        local_files_only=True,
        tokenizer=make_tokenizer(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    ours = pipeline_of_file(tiny.file, tiny.config, torch.bfloat16)
    assert dict(ours.scheduler.config) == dict(theirs.scheduler.config)
    for part in ("unet", "vae", "text_encoder"):
        expected, found = (getattr(pipe, part).state_dict() for pipe in (theirs, ours))
        assert set(found) == set(expected)
        assert all(torch.equal(found[name], expected[name]) for name in expected)
