"""What a build costs beyond path tracing: wall time of a build with one worker over the bare Cycles sampling time.

Builds the first scenes of a spec with one worker, then renders the same frames with bare Cycles (`bare_cycles.py`),
and prints the ratio and where the rest of the time went. Usage: python benchmarks/overhead.py [SPEC] [SCENES]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BAR = 1.20


def run_build(spec: Path, scenes: int, out: Path) -> float:
    """Wall seconds of the build command, start of Python included."""
    command = [sys.executable, str(ROOT / "run_pipeline.py"), "build", str(spec), "--out", str(out)]
    start = time.perf_counter()
    subprocess.run([*command, "--workers", "1", "--limit", str(scenes), "--quiet"], check=True)
    return time.perf_counter() - start


def stage_numbers(out: Path) -> dict[str, float]:
    """Sums over the store of each stage's seconds and of the render child's own measurements."""
    sums: dict[str, float] = {}
    for path in (out / "store").glob("*/*/*/record.json"):
        record = json.loads(path.read_text())
        sums[f"stage {record['stage']}"] = sums.get(f"stage {record['stage']}", 0.0) + record["seconds"]
        for name, value in record["numbers"].items():
            if name.endswith("_seconds"):
                sums[f"render: {name}"] = sums.get(f"render: {name}", 0.0) + value
    return sums


def bare(spec: Path, scenes: int, out: Path) -> dict[str, float]:
    """Bare Cycles on the same frames."""
    reply = out / "bare.json"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    threads = str(len(os.sched_getaffinity(0)))
    command = [sys.executable, str(ROOT / "benchmarks" / "bare_cycles.py"), str(spec), str(scenes), threads]
    subprocess.run([*command, str(out), str(reply)], check=True, env=environment, stdout=subprocess.DEVNULL)
    return json.loads(reply.read_text())


def main() -> None:
    """Measure and print."""
    spec = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "benchmarks" / "overhead.toml"
    scenes = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        wall = run_build(spec, scenes, out)
        bare_after = bare(spec, scenes, out)
        sums = stage_numbers(out)
    sampling = bare_after["sampling_seconds"]
    print(f"{scenes} scenes, {bare_after['frames']} frames, one worker")
    print(f"build, wall                {wall:8.1f} s")
    print(f"bare Cycles, sampling      {sampling:8.1f} s")
    print(f"bare Cycles, render calls  {bare_after['render_call_seconds']:8.1f} s")
    print(f"ratio build / sampling     {wall / sampling:8.3f}   (bar: at most {BAR:.2f})")
    print("where the build's time went, summed over actions (some overlap):")
    for name, seconds in sorted(sums.items()):
        print(f"  {name:28s} {seconds:8.1f} s  {seconds / sampling:6.3f} of sampling")


if __name__ == "__main__":
    main()
