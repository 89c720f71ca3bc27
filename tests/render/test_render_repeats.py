"""Same job, same bytes: over processes, thread counts and a child's history."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from support import render_scenes as rs

from pipeline.records import sha256_file
from pipeline.render.launch import RenderChild

pytestmark = [pytest.mark.bpy, pytest.mark.slow]


def digest(folder):
    """Hashes of every file below *folder*, by relative name."""
    return {str(p.relative_to(folder)): sha256_file(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_twenty_processes_with_one_and_two_threads_write_the_same_bytes(tmp_path):
    jobs = {}
    for threads in (1, 2):
        jobs[threads] = tmp_path / f"job{threads}"
        rs.write_job(jobs[threads], threads=threads, samples=4, alphas=(0.01, 0.01))

    def render(number):
        threads = 1 + number % 2
        out = tmp_path / f"out{number}"
        out.mkdir()
        child = RenderChild(threads)
        try:
            child.render(jobs[threads], out, timeout_s=300)
        finally:
            child.stop()
        return digest(out)

    with ThreadPoolExecutor(2) as pool:
        digests = list(pool.map(render, range(20)))
    differing = [i for i, d in enumerate(digests) if d != digests[0]]
    assert digests[0]
    assert not differing


def test_a_child_renders_a_scene_the_same_after_another_scene(tmp_path):
    rs.write_job(tmp_path / "a", samples=4)
    rs.write_job(tmp_path / "b", samples=6, width=64, height=64, alphas=(0.4, 0.1))
    child = RenderChild(2)
    try:
        for name, job in (("first", "a"), ("other", "b"), ("again", "a")):
            (tmp_path / name).mkdir()
            child.render(tmp_path / job, tmp_path / name, timeout_s=300)
    finally:
        child.stop()
    assert digest(tmp_path / "first") == digest(tmp_path / "again")
    assert digest(tmp_path / "first") != digest(tmp_path / "other")
