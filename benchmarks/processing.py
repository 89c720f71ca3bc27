"""What the steps of a photo cost at 1024 x 768 on one core, and their shares of the bar.

Bars: demosaicking to encoded JPEG 0.15 s, metering 0.02 s. Usage: python benchmarks/processing.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from pipeline.camera.demosaic import demosaic
from pipeline.camera.detail import denoise, sharpen
from pipeline.camera.develop import encode_picture
from pipeline.camera.expose import expose
from pipeline.camera.hardware import lens_named, sensor_named
from pipeline.camera.metering import metered_scale
from pipeline.camera.optics import through_lens
from pipeline.camera.sensor import capture
from pipeline.camera.tone import develop_codes, encode
from pipeline.camera.white_balance import auto_white_balance
from pipeline.spec.processing import ProcessingSpec

WIDTH, HEIGHT = 1024, 768
PROCESSING_BAR_S, METERING_BAR_S = 0.15, 0.02
SENSOR, LENS = sensor_named("mv_global_shutter_color"), lens_named("c_mount_25mm")
FULL = ProcessingSpec(demosaic="malvar", white_balance="auto", denoise=1.0, sharpen_amount=0.6)


def best(work: Callable[[], Any], rounds: int = 5) -> float:
    """Least processor seconds of *work* over *rounds*."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def say(what: str, seconds: float, bar: float) -> None:
    """One line."""
    sys.stdout.write(f"{what:<44} {1000 * seconds:7.1f} ms   {seconds / bar:5.2f} of the bar\n")


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(1)
    radiance = cv2.GaussianBlur(3.0 * rng.random((HEIGHT, WIDTH, 3), dtype=np.float32) ** 4, (0, 0), 4.0)
    for mode in ("centre_weighted", "average", "spot", "highlight", "matrix"):
        say(f"metering, {mode}", best(lambda mode=mode: metered_scale(radiance, SENSOR, mode=mode)), METERING_BAR_S)
    codes = capture(through_lens(radiance, LENS), expose(radiance, SENSOR, LENS, 4.0, 0.0), SENSOR, 1).codes
    mosaic = codes.astype(np.float32) / SENSOR.white_dn
    for method in ("bilinear", "edge_aware", "malvar"):
        say(f"demosaicking, {method}", best(lambda m=method: demosaic(mosaic, m)), PROCESSING_BAR_S)
    linear = demosaic(mosaic, "edge_aware")
    for tone in ("filmic", "agx", "srgb", "linear"):
        say(f"tone, {tone}", best(lambda t=tone: encode(linear, t, 1.2)), PROCESSING_BAR_S)
    picture = encode(linear, "filmic", 1.2)
    say("automatic white balance", best(lambda: auto_white_balance(codes, SENSOR)), PROCESSING_BAR_S)
    say("noise reduction", best(lambda: denoise(picture, 1.0)), PROCESSING_BAR_S)
    say("sharpening", best(lambda: sharpen(picture, 1.0, 0.6)), PROCESSING_BAR_S)
    say("JPEG", best(lambda: encode_picture(picture, "jpeg")), PROCESSING_BAR_S)
    for tone, processing in (("filmic", ProcessingSpec()), ("agx", FULL)):

        def whole(tone: Any = tone, processing: ProcessingSpec = processing) -> None:
            kelvin = auto_white_balance(codes, SENSOR) if processing.white_balance == "auto" else 5000.0
            encode_picture(develop_codes(codes, SENSOR, kelvin, tone, processing), "jpeg")

        name = "plain" if processing == ProcessingSpec() else "everything"
        say(f"demosaicking to JPEG, {tone}, {name}", best(whole), PROCESSING_BAR_S)


if __name__ == "__main__":
    main()
