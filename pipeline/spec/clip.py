"""ClipSpec: how a scene is filmed, frozen.

Covers: the records of a clip, which frame of which clip a view shows, the light at a time. Does not cover: how they are
drawn (`draw_clips`), the rest of a scene (`scene`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ClipMotion = Literal["camera_orbit", "camera_dolly", "part_conveyor"]
LightChangeKind = Literal["none", "ramp", "switch"]


@dataclass(frozen=True)
class ClipPath:
    """What moves, and when the frames are taken: all that a render must know of a clip."""

    frames: int
    frame_rate_hz: float
    motion: ClipMotion
    travel: float
    """Over the whole clip: radians about the vertical (camera_orbit), change of the distance as a share of it
    (camera_dolly), metres along +x (part_conveyor)."""

    def time_s(self, frame: int) -> float:
        """When *frame* is taken, seconds from the first."""
        return frame / self.frame_rate_hz

    def progress(self, frame: int) -> float:
        """How far the clip is at *frame*, 0 at the first to 1 at the last."""
        return frame / (self.frames - 1)

    def belt_shift_m(self, frame: int) -> float:
        """How far belt and parts have moved along +x at *frame*; half the way behind and half before the middle."""
        return self.travel * (self.progress(frame) - 0.5) if self.motion == "part_conveyor" else 0.0


@dataclass(frozen=True)
class LightChange:
    """A light group, or all light, that gets brighter or darker."""

    group: str | None
    """Light group; None = all of them."""
    stops: float
    """Brightness after the change over that before it, log2."""
    start_s: float
    duration_s: float
    """Seconds of an even ramp in stops; 0 = switched."""

    def factor(self, time_s: float) -> float:
        """Brightness at *time_s* over that before the change."""
        if self.duration_s == 0.0:
            share = float(time_s >= self.start_s)
        else:
            share = min(max((time_s - self.start_s) / self.duration_s, 0.0), 1.0)
        return float(2.0 ** (self.stops * share))


@dataclass(frozen=True)
class TakeSpec:
    """One filming of a path: the photos of equal photo_index. Every take has its own light and auto-exposure."""

    photo_index: int
    change: LightChange | None
    exposure_lag_s: float
    """Time constant of the auto-exposure, seconds."""
    exposure_delay_frames: int
    """Frames from metering a picture to the first that it affects."""


@dataclass(frozen=True)
class ClipSpec:
    """A scene as clips. Camera k is frame k; a clip is one take of one rig, with or without the defects."""

    path: ClipPath
    takes: tuple[TakeSpec, ...]


@dataclass(frozen=True)
class FramePlace:
    """Where a photo stands among the clips of its scene."""

    clip_id: str
    frame_index: int
    time_s: float


def frame_place(clip: ClipSpec, scene_id: str, view_index: int, photo_index: int, views: int) -> FramePlace:
    """The clip and frame of a photo in a scene of *views* views, which lie frame by frame (`scene.shots_of`)."""
    per_frame = views // clip.path.frames
    frame, lane = divmod(view_index, per_frame)
    return FramePlace(clip_id_of(scene_id, lane, photo_index), frame, clip.path.time_s(frame))


def clip_id_of(scene_id: str, lane: int, photo_index: int) -> str:
    """Clip id, for example "line-000007-c0-p1": *lane* is the number of the first frame's view, take 1."""
    return f"{scene_id}-c{lane}-p{photo_index}"
