"""Clips of a flat, textured, glowing plane under a camera that flies over it: everything is known in closed form.

Covers: frames for the selector and its judge, and light bundles of such frames. The radiance at a point of the plane is
`surface`; light of the whole plane changes by a factor. Does not cover: mirrors, whose images move.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline import bundle as bundles
from pipeline.arrange.arrangement import PlacedCamera
from pipeline.camera.exposure_control import AutoExposure
from pipeline.camera.tone import srgb_from_linear
from pipeline.clips.correspond import FrameGeometry
from pipeline.clips.frames import Clip, Frame, Observation
from pipeline.layers import LIGHT_FILE, REC709_LUMINANCE, write_parts
from pipeline.records import write_json
from pipeline.spec.clip import ClipPath, ClipSpec, LightChange, TakeSpec
from pipeline.spec.photo_state import LensState
from pipeline.spec.scene import SceneSpec, view_id_of
from support.synthetic_bundle import moved, photo, scene_of

DOWN = np.diag([1.0, -1.0, -1.0])
"""Looking straight down: x right, picture's y against the world's."""
HEIGHT_M = 0.5
SIZE = (64, 48)
PLANE = 1001


def camera_at(x: float, y: float = 0.0, number: int = 0) -> PlacedCamera:
    """A camera HEIGHT_M above (x, y) that looks straight down."""
    pose = moved(*(-DOWN @ np.array([x, y, HEIGHT_M])), DOWN)
    width, height = SIZE
    return PlacedCamera(number, pose, 80.0, 80.0, width / 2, height / 2, width, height)


def ground_points(camera: PlacedCamera) -> np.ndarray:
    """(h, w, 2) where the rays through the pixels' centres meet the plane."""
    x0 = camera.cam_from_world[3] * -1.0
    y0 = camera.cam_from_world[7]
    columns, rows = np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5
    x = x0 + (columns - camera.cx) / camera.fx * HEIGHT_M
    y = y0 - (rows - camera.cy) / camera.fy * HEIGHT_M
    return np.stack(np.broadcast_arrays(x[None, :], y[:, None]), axis=-1)


def surface(points: np.ndarray, seed: int = 0) -> np.ndarray:
    """(h, w, 3) float32 radiance at points (h, w, 2): a pattern, and ten glowing spots up to 60 times as bright."""
    rng = np.random.default_rng([7, seed])
    x, y = points[..., 0], points[..., 1]
    value = 0.12 + 0.1 * np.sin(55 * x) * np.sin(43 * y + 1.0)
    for spot_x, spot_y, size, peak in rng.uniform((-0.4, -0.15, 0.006, 1.0), (0.4, 0.15, 0.025, 6.0), (10, 4)):
        value = value + peak * np.exp(-((x - spot_x) ** 2 + (y - spot_y) ** 2) / (2 * size**2))
    return (value[..., None] * np.array([1.0, 0.9, 0.75])).astype(np.float32)


def analytic_clip(seed: int, frames: int = 14) -> Clip:
    """A clip whose light, path and auto-exposure are drawn from *seed*."""
    rng = np.random.default_rng([3, seed])
    step, stops = rng.uniform(0.002, 0.012), rng.uniform(1.0, 4.5) * (1 if rng.random() < 0.8 else -1)
    start, ramp = int(rng.integers(2, 7)), int(rng.integers(0, 4))
    lag, delay = rng.uniform(1.0, 5.0), int(rng.integers(1, 4))
    control: AutoExposure | None = None
    made = []
    for number in range(frames):
        camera = camera_at(step * number, number=number)
        share = min(max((number - start + 1) / (ramp + 1), 0.0), 1.0)
        radiance = surface(ground_points(camera), seed) * np.float32(2.0 ** (stops * share))
        if control is None:
            control = AutoExposure(metered(radiance), lag, delay)
        used = control.exposure
        control.observe(metered(np.minimum(radiance, np.float32(2.0**-used))))
        made.append(frame_of(number, radiance, used, geometry_of(camera)))
    return Clip(f"analytic-{seed}", tuple(made))


def metered(radiance: np.ndarray) -> float:
    """log2 of the exposure that shows the average at 0.18 of the range."""
    return math.log2(0.18 / float(radiance.mean()))


def frame_of(number: int, radiance: np.ndarray, exposure_log2: float, geometry: FrameGeometry) -> Frame:
    share = radiance * np.float32(2.0**exposure_log2)
    picture = np.rint(srgb_from_linear(np.minimum(share, np.float32(1.0))) * 255).astype(np.uint8)
    return Frame(Observation(number, picture, exposure_log2), radiance, share, geometry)


def geometry_of(camera: PlacedCamera) -> FrameGeometry:
    """The plane and nothing else."""
    shape = (camera.height, camera.width)
    return FrameGeometry(camera, np.full(shape, HEIGHT_M, np.float32), np.full(shape, PLANE, np.uint16))


def clip_scene(frames: int = 6, stops: float = 3.0, **changes) -> SceneSpec:
    """A SceneSpec of one take over the plane whose light rises by *stops* at frame 2; *changes* are of its photos."""
    path = ClipPath(frames, 10.0, "camera_dolly", 0.0)
    clip = ClipSpec(path, (TakeSpec(0, LightChange(None, stops, 0.2, 0.0), 0.2, 1),))
    photos = [
        photo(
            view_index=k,
            seed=100 + k,
            longest_shutter_s=0.1,
            lens_state=LensState(distortion_scale=0.0),
            light_weights={"key": clip.takes[0].change.factor(path.time_s(k))},
            **changes,
        )
        for k in range(frames)
    ]
    scene = scene_of(photos)
    cameras = tuple(replace(scene.cameras[0], camera_index=k) for k in range(frames))
    return replace(scene, cameras=cameras, clip=clip)


def write_clip_bundle(folder: Path, frames: int = 6, step_m: float = 0.01) -> Path:
    """A light bundle of *frames* views of the plane."""
    views = []
    for k in range(frames):
        camera = camera_at(step_m * k, number=k)
        light = surface(ground_points(camera))
        place = bundles.view_folder(folder, k)
        place.mkdir(parents=True)
        grey = (light @ REC709_LUMINANCE)[..., None]
        layers = {"denoised.key": light, "noisy": grey, "glossy_direct": grey}
        write_parts(place / LIGHT_FILE, {name: np.float32(image) for name, image in layers.items()}, "zip")
        geometry = geometry_of(camera)
        bundles.write_exr(place / "depth.exr", {"Z": geometry.depth})
        bundles.write_ids(place / "object.png", geometry.objects)
        views.append(bundles.BundleView(view_id_of("made-000000", k), k, camera, "any", 0, ("key",)))
    record = bundles.SceneBundle(
        "made-000000",
        "none",
        1,
        ("key",),
        (bundles.BundleObject(PLANE, "support", "table", "table", None),),
        (),
        (),
        (),
        tuple(views),
    )
    write_json(folder / bundles.BUNDLE_FILE, record)
    return folder
