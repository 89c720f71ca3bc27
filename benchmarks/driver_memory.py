"""Memory of the driver for a large dataset: peak RSS of a build of 10,000 scenes with the fake renderer.

The build runs over Dask with two workers; only the driver's own memory is measured, planning, collecting and writing
the tables included. Usage: python benchmarks/driver_memory.py [SCENES]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BAR_MIB = 500.0

SPEC = """
schema_version = 1
dataset = {{ name = "many", seed = 1, scenes = {scenes}, licence = "CC0-1.0" }}
metals = {{ steel_carbon = 1.0 }}
finishes = {{ turned = 1.0 }}
items = {{ count = 4 }}
arrangement = {{ surfaces = {{ table = {{ grey_painted_table = 1.0 }} }} }}
rigs = {{ weights = {{ studio_softboxes = 1.0 }} }}
surroundings = {{ weights = {{ softlit_studio_room = 1.0 }} }}
cameras = {{ fill = 0.8, resolution = [640, 480] }}
render = {{ samples = 16 }}

[photos]
per_view = 4
sensors = {{ mv_global_shutter_color = 1.0 }}
lenses = {{ c_mount_25mm = 1.0 }}

[parts]
{parts}
"""


def write_spec(folder: Path, scenes: int) -> Path:
    """A spec with twenty parts that only the fake stages can read."""
    lines = []
    for number in range(20):
        (folder / f"p{number}.stl").write_text(f"solid {number}\n")
        lines.append(f'p{number} = {{ file = "p{number}.stl", units = "mm", category = "c{number}" }}')
    path = folder / "many.toml"
    path.write_text(SPEC.format(scenes=scenes, parts="\n".join(lines)))
    return path


def build(spec: Path, out: Path) -> tuple[float, float]:
    """(wall seconds, peak MiB) of one build command."""
    code = (
        "import resource, sys\n"
        "from pipeline.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end:\n"
        "    print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
        "    raise\n"
    )
    environment = {**os.environ, "GLINT_STAGES": "pipeline.graph.fake:STAGES", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, "build", str(spec), "--out", str(out), "--workers", "2"]
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, check=True, stderr=subprocess.PIPE, text=True)
    wall = time.perf_counter() - start
    unit = 1024.0 if sys.platform != "darwin" else 2.0**20  # ru_maxrss is in KiB on Linux, in bytes on macOS
    return wall, float(done.stderr.rsplit("PEAK", 1)[1]) / unit


def main() -> None:
    """Build, build again, print."""
    scenes = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = write_spec(folder, scenes)
        wall, peak = build(spec, folder / "dataset")
        again, peak_again = build(spec, folder / "dataset")
    print(f"{scenes} scenes with the fake renderer: {wall:.0f} s, driver {peak:.0f} MiB at its peak")
    print(f"the same again, all from the store: {again:.0f} s, driver {peak_again:.0f} MiB at its peak")
    print(f"ratio to the bar of {BAR_MIB:.0f} MiB: {max(peak, peak_again) / BAR_MIB:.2f}")


if __name__ == "__main__":
    main()
