"""`verify` on clips: a whole one passes, a changed mask, file, order or reference is found."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import masks
from pipeline.bundle import write_exr
from pipeline.dataset.check_clips import check_clip
from pipeline.dataset.clips import ClipFrame
from pipeline.dataset.problems import Findings
from pipeline.errors import DamageFound


class OneClip:
    """A dataset of one clip of three frames, two pixels of which exceed the range in the last."""

    def __init__(self, root):
        self.root = root
        self.frames = []
        for k in range(3):
            radiance = np.full((4, 6, 3), 0.25, np.float16)
            if k == 2:
                radiance[1, 2], radiance[3, 5, 0] = 2.0, 1.0
            write_exr(root / f"{k}.exr", {axis: radiance[..., i] for i, axis in enumerate("RGB")})
            over = radiance.astype(np.float32) * 2.0 > 1.0
            self.frames.append(
                (
                    {"photo_id": f"p{k}", "frame_index": k, "time_s": 0.1 * k},
                    {
                        **{f"mask_{n}_rle": masks.encode(over[..., i]) for i, n in enumerate(("red", "green", "blue"))},
                        "mask_rle": masks.encode(over.any(axis=-1)),
                        "share": float(over.any(axis=-1).mean()),
                        "radiance_path": f"{k}.exr",
                        "signal_from_radiance": list(np.diag([2.0] * 3).ravel()),
                        "reference_photo_ids": ["p0", "p1"] if k == 2 else [],
                        "reference_shares": [1.0, 1.0] if k == 2 else [],
                    },
                )
            )

    def clip(self, clip_id):
        assert clip_id == "c"
        return iter([ClipFrame(self, photo, row) for photo, row in self.frames])


def problems(dataset):
    findings = Findings()
    check_clip(dataset, "c", findings)
    assert findings.checked == {"clips": 1}
    return {problem.what for problem in findings.problems}


@pytest.fixture
def clip(tmp_path):
    return OneClip(tmp_path)


def test_a_sound_clip_has_no_problems(clip) -> None:
    assert problems(clip) == set()


def test_a_pixel_too_many_in_a_channel(clip) -> None:
    mask = masks.decode(clip.frames[2][1]["mask_green_rle"])
    mask[0, 0] = True
    clip.frames[2][1]["mask_green_rle"] = masks.encode(mask)
    assert problems(clip) == {"overexposed masks", "overexposed mask"}


def test_other_radiance(clip) -> None:
    write_exr(clip.root / "2.exr", {axis: np.full((4, 6), 0.2, np.float16) for axis in "RGB"})
    assert problems(clip) == {"overexposed masks"}


def test_a_missing_frame_and_a_reference_to_the_future(clip) -> None:
    clip.frames[2][1]["reference_photo_ids"] = ["p0", "p2"]
    assert problems(clip) == {"references"}
    del clip.frames[1]
    assert "frames" in problems(clip)


def test_what_cannot_be_read_is_a_problem_not_a_crash(clip) -> None:
    (clip.root / "1.exr").write_bytes(b"nothing")
    assert problems(clip) == {"contents"}
    with pytest.raises(DamageFound):
        next(frame for frame in clip.clip("c") if frame.index == 1).radiance()
