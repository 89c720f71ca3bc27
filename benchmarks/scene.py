"""Regenerating one scene: wall time of `scene SPEC ID` beyond its render, and whether the bytes equal the build's.

Builds the first scene of a spec, regenerates it with the `scene` command, and compares every file. Usage:
python benchmarks/scene.py [SPEC]
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BAR_S = 4.0


def run(*arguments: str) -> float:
    """Wall seconds of one command."""
    start = time.perf_counter()
    subprocess.run([sys.executable, str(ROOT / "run_pipeline.py"), *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def digests(folder: Path) -> set[tuple[str, str]]:
    """(file name, SHA-256) of every file that is part of the data; the records of the runs are not."""
    skip = {"record.json"}
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in skip]
    return {(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}


def main() -> None:
    """Measure and print."""
    spec = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "scenes" / "quickstart.toml"
    with tempfile.TemporaryDirectory() as folder:
        dataset, again = Path(folder) / "dataset", Path(folder) / "again"
        run("build", str(spec), "--out", str(dataset), "--limit", "1", "--sync", "--quiet")
        records = [json.loads(p.read_text()) for p in (dataset / "store" / "render").glob("*/*/record.json")]
        scene_id = records[0]["label"]
        wall = run("scene", str(spec), scene_id, "--out", str(again))
        fresh = [json.loads(p.read_text()) for p in again.rglob("record.json")]
        renders = [r["numbers"]["render_seconds"] for r in fresh if r["stage"] == "render"]
        render = renders[0] if renders else records[0]["numbers"]["render_seconds"]
        built, regenerated = digests(dataset / "store"), digests(again)
    print(f"scene {scene_id}: {wall:.1f} s, its render {render:.1f} s")
    print(f"beyond the render {wall - render:.1f} s (bar: at most {BAR_S:.0f} s), ratio {wall / render:.3f}")
    print(f"files: {len(built)} in the build, {len(built & regenerated)} of them with the same bytes")


if __name__ == "__main__":
    main()
