"""What cannot become a picture: wrong input, NaN, black, no memory, no card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.transfer_photos import PROMPTS, QUICK, SEEDS, photos

from pipeline.errors import BatchTooLarge, EnvironmentProblem, InputError
from pipeline.transfer.tokenizer import check_prompt

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"photos": np.zeros((1, 64, 64, 3), np.float32)}, "of uint8"),
        ({"photos": np.zeros((1, 32, 64, 3), np.uint8)}, "at least 64 pixels"),
        ({"prompts": ["a", "b"]}, "1 prompts"),
        ({"seeds": []}, "1 seeds"),
        ({"seeds": [-1]}, "seeds from 0"),
        ({"prompts": ["steel " * 90]}, "at most 75 tokens"),
        ({"protected": np.zeros((1, 8, 8), bool)}, "protected of shape"),
    ],
)
def test_wrong_input_is_named(engine, changes, message):
    given = {"photos": np.zeros((1, 64, 64, 3), np.uint8), "prompts": ["a"], "seeds": [1], **changes}
    layers = {name: given[name] for name in ("protected",) if name in given}
    with pytest.raises(InputError, match=message):
        engine.transfer(given["photos"], given["prompts"], given["seeds"], QUICK, **layers)


def test_the_tokens_are_clips_and_what_does_not_fit_is_named():
    from pipeline.transfer.tokenizer import make_tokenizer

    tokenizer = make_tokenizer()
    assert len(tokenizer) == 49408
    # Ids of OpenAI's CLIP, as its own tokenizer gives them.
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert tokenizer.pad_token_id == 49407
    assert check_prompt("steel " * 75) == 77
    with pytest.raises(InputError, match='its end: "brass bolts"'):
        check_prompt("steel " * 75 + "brass bolts")


@pytest.mark.parametrize(("value", "message"), [(float("nan"), "not finite"), (-100.0, "black picture")])
def test_results_that_are_no_pictures_leave_the_camera_photo(engine, value, message):
    vae = engine.networks.vae
    genuine, calls = vae.decode, []

    def broken(latents, return_dict=True):
        calls.append(1)
        picture = genuine(latents, return_dict=False)[0]
        if len(calls) % 2:
            picture[0] = value
        return (picture,)

    vae.decode = broken
    try:
        result = engine.transfer(photos(2), PROMPTS[:2], SEEDS[:2], replace(QUICK, batch=2))
    finally:
        del vae.decode
    assert message in result.problems[0]
    assert result.problems[1] is None
    assert np.array_equal(result.images[0], photos(2)[0])
    assert not np.array_equal(result.images[1], photos(2)[1])


def test_out_of_memory_halves_the_batch_and_says_so(engine):
    import torch

    genuine, batches = engine.networks.vae.encode, []

    def small(pixels):
        batches.append(len(pixels))
        if len(pixels) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return genuine(pixels)

    engine.networks.vae.encode = small
    try:
        result = engine.transfer(photos(), PROMPTS, SEEDS, replace(QUICK, batch=4))
        again = engine.transfer(photos(), PROMPTS, SEEDS, replace(QUICK, batch=4))
    finally:
        del engine.networks.vae.encode
    assert batches == [4, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    assert (result.batch, again.batch) == (1, 1)
    assert result.notes == (
        "out of memory at a batch of 4: going on with 2",
        "out of memory at a batch of 2: going on with 1",
    )
    engine.largest_batch = 2**31
    alone = engine.transfer(photos(), PROMPTS, SEEDS, QUICK)
    assert np.array_equal(result.images, alone.images)


def test_a_batch_that_lies_under_a_key_is_not_halved_in_secret(engine):
    import torch

    def small(pixels):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    engine.networks.vae.encode = small
    try:
        with pytest.raises(BatchTooLarge, match=r"memory for 4 photos a call on cpu.*use --batch 2") as caught:
            engine.transfer(photos(), PROMPTS, SEEDS, replace(QUICK, batch=4), fixed_batch=True)
        with pytest.raises(EnvironmentProblem, match="memory for one photo"):
            engine.transfer(photos(1), PROMPTS[:1], SEEDS[:1], QUICK, fixed_batch=True)
    finally:
        del engine.networks.vae.encode
    assert caught.value.smaller == 2
    assert (engine.notes, engine.largest_batch) == ([], 2**31)


def test_no_memory_for_one_photo_is_one_clear_error(engine):
    def never(_):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")

    engine.networks.vae.encode = never
    try:
        with pytest.raises(EnvironmentProblem, match="memory for one photo"):
            engine.transfer(photos(1), PROMPTS[:1], SEEDS[:1], QUICK)
    finally:
        del engine.networks.vae.encode


def test_a_card_that_disappears_is_one_clear_error():
    import torch

    from pipeline.transfer.devices import DeviceLost, device_errors

    with pytest.raises(DeviceLost, match="start the worker anew"), device_errors(torch.device("cuda:0")):
        raise torch.AcceleratorError("CUDA error: unspecified launch failure\nCUDA kernel errors might be...")
    with pytest.raises(RuntimeError, match="shape mismatch"), device_errors(torch.device("cuda:0")):
        raise RuntimeError("shape mismatch")
