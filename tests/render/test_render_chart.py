"""A colour chart from render to RAW file: 24 painted patches under white light keep their colours."""

from __future__ import annotations

import numpy as np
import pytest
from support import render_scenes as rs
from support.colour_difference import chart, delta_e_2000, lab

from pipeline import bundle
from pipeline.arrange.arrangement import PlacedCamera, SupportMesh
from pipeline.bundle import BundleView, SceneBundle
from pipeline.camera.expose import expose
from pipeline.camera.hardware import lens_named, sensor_named
from pipeline.camera.raw_dng import RawSettings, raw_file
from pipeline.camera.sensor import capture
from pipeline.layers import read_layer
from pipeline.light.lamps import ImageWorld
from pipeline.records import to_dict, write_json
from pipeline.render.job import JOB_FILE, RenderJob, _Assembler
from pipeline.render.launch import render_in_child
from pipeline.spec.scene import RENDERED_CCT_K, BodySpec, RenderSpec
from pipeline.surface.material import PlainMaterial

pytestmark = pytest.mark.bpy

PATCH_PX = 24
SIDE_M, HEIGHT_M = 0.04, 20.0
"""The camera looks straight down from so high that every ray is nearly vertical."""


def rendered_chart(folder):
    """(96, 144, 3) radiance of the chart, matt paint in a white world of radiance 1."""
    job, out = folder / "job", folder / "out"
    job.mkdir(parents=True)
    out.mkdir()
    assembler = _Assembler(job)
    for number, colour in enumerate(chart(1)[1]):
        row, column = divmod(number, 6)
        middle = [(column - 2.5) * SIDE_M, (1.5 - row) * SIDE_M, 0.0]
        vertices, triangles = rs.quad(middle, [SIDE_M / 2, 0, 0], [0, SIDE_M / 2, 0])
        normals = np.tile(np.float32([0, 0, 1]), (4, 1))
        paint = PlainMaterial(f"patch{number}", tuple(float(c) for c in colour), 1.0, 1.0, 0.0, 1.0)
        assembler.add_support(number, SupportMesh("patch", paint.name, vertices, normals, triangles), paint, None)
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    pose[2, 3] = HEIGHT_M
    focal, (width, height) = PATCH_PX / SIDE_M * HEIGHT_M, (6 * PATCH_PX, 4 * PATCH_PX)
    camera = PlacedCamera(0, tuple(pose.ravel().tolist()), focal, focal, width / 2, height / 2, width, height)
    view = BundleView("chart-v0", 0, camera, "any", 0, ("world",))
    content = SceneBundle("chart", "", 64, ("world",), tuple(assembler.entries), (), (), (), (view,))
    world, spec = ImageWorld(None, 1.0, 0.0, "world"), RenderSpec(64, False, 5)
    materials, objects = tuple(assembler.materials), tuple(assembler.objects)
    record = RenderJob("chart", spec, 2, ("world",), world, materials, objects, content)
    write_json(job / JOB_FILE, to_dict(record))
    render_in_child(job, out, threads=2, timeout_s=300)
    return read_layer(bundle.view_folder(out, 0), "noisy")


def test_a_rendered_chart_keeps_its_colours_through_the_raw_file(tmp_path):
    rawpy = pytest.importorskip("rawpy")
    radiance = rendered_chart(tmp_path)
    sensor, lens = sensor_named("dslr_fullframe"), lens_named("macro_100mm")
    exposure = expose(radiance, sensor, lens, 8.0, -0.5)
    body = BodySpec("0001", 25.0)
    frame = capture(radiance, exposure, sensor, 7, body)
    assert not frame.clipped.any()
    path = tmp_path / "chart.dng"
    path.write_bytes(raw_file(frame.codes, RawSettings(sensor, body, lens, exposure, 50.0, RENDERED_CCT_K)))
    with rawpy.imread(str(path)) as raw:
        settings = {"gamma": (1, 1), "no_auto_bright": True, "adjust_maximum_thr": 0.0, "use_camera_wb": True}
        linear = raw.postprocess(**settings, output_bps=16) / 65535.0 / np.max(exposure.exposure_scale)
    blocks = linear.reshape(4, PATCH_PX, 6, PATCH_PX, 3)[:, 6:-6, :, 6:-6]
    seen = blocks.mean(axis=(1, 3)).reshape(24, 3)
    assert delta_e_2000(lab(seen), lab(chart(1)[1])).max() < 3.0
