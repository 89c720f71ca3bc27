"""The launcher: time limits, deaths and replacement of render children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support import render_scenes as rs

from pipeline.errors import EnvironmentProblem, StageFailed
from pipeline.render import launch

pytestmark = pytest.mark.bpy


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def alive(pid):
    return Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1][:3]


def test_a_render_past_its_limit_is_killed_and_said_so(tmp_path, out):
    rs.write_job(tmp_path / "job", width=640, height=480, samples=4096)
    child = launch.RenderChild(1)
    with pytest.raises(StageFailed, match="ran past its limit of 3 s"):
        child.render(tmp_path / "job", out, timeout_s=3)
    assert not alive(child.pid)


def test_a_killed_child_gives_an_error_that_names_the_signal(tmp_path, out):
    rs.write_job(tmp_path / "job", width=640, height=480, samples=4096)
    child = launch.RenderChild(1)
    killer = threading.Timer(2.0, os.kill, (child.pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(StageFailed, match="died \\(signal SIGKILL\\)"):
        child.render(tmp_path / "job", out, timeout_s=60)


def test_a_broken_job_is_an_error_and_the_next_job_still_renders(tmp_path, out):
    rs.write_job(tmp_path / "job", samples=1, denoise=False)
    broken = tmp_path / "broken"
    broken.mkdir()
    with pytest.raises(StageFailed, match="No such file"):
        launch.render_in_child(broken, out, threads=1, timeout_s=60)
    report = launch.render_in_child(tmp_path / "job", out, threads=1, timeout_s=60)
    assert report.seconds["beauty_seconds"] > 0
    assert (out / "bundle.json").is_file()


def test_a_child_is_replaced_after_its_share_of_scenes(tmp_path, out, monkeypatch):
    monkeypatch.setattr(launch, "MAX_SCENES", 1)
    rs.write_job(tmp_path / "job", samples=1, denoise=False, width=32, height=32)
    pids = []
    for number in range(2):
        target = out / str(number)
        target.mkdir()
        launch.render_in_child(tmp_path / "job", target, threads=1, timeout_s=60)
        pids.append(launch._children[1].pid)
    assert pids[0] != pids[1]
    assert not alive(pids[0])


def test_a_child_dies_with_its_parent(tmp_path, out):
    rs.write_job(tmp_path / "job", width=640, height=480, samples=4096)
    code = (
        "from pathlib import Path; import sys, threading; from pipeline.render import launch\n"
        "child = launch.RenderChild(1); print(child.pid, flush=True)\n"
        f"child.render(Path({str(tmp_path / 'job')!r}), Path({str(out)!r}), 600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    time.sleep(2.0)
    assert alive(child)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def test_a_python_without_blender_is_told_which_pythons_have_it(monkeypatch):
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblem, match=r"3\.13 with bpy 5\.2 or Python 3\.11 with bpy 4\.5"):
        launch.require_blender()


def test_a_stopped_child_leaves_no_temporary_folder(tmp_path, out, monkeypatch):
    monkeypatch.setattr(launch.tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    rs.write_job(tmp_path / "job", samples=1, denoise=False, width=32, height=32)
    child = launch.RenderChild(1)
    child.render(tmp_path / "job", out, timeout_s=60)
    during = [path.name for path in (tmp_path / "temporary").iterdir()]
    child.stop()
    assert [name.startswith("glint-blender-") for name in during] == [True]
    assert list((tmp_path / "temporary").iterdir()) == []
