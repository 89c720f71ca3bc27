"""A full bin: 150 parts of about 40,000 triangles settle, open in Blender and render.

Prints the seconds that cutting and settling take (bar 60), those that Blender needs to build the scene (bar 10), and
the render child's peak memory (bar 6 GiB). Usage: python benchmarks/full_bin.py [PARTS]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
SPEC = """
schema_version = 1
[dataset]
name = "bin"
seed = 7
scenes = 1
[split]
train = 1.0
val = 0.0
test = 0.0
[parts.ribbed_bracket]
file = "assets:parts/ribbed_bracket.step"
category = "bracket"
[metals]
steel_carbon = 1.0
[finishes]
machined = 1.0
[items]
count = {count}
ra_quantile = 0.5
alpha_scale = 1.0
metal_spread = 0.5
[arrangement]
kinds = {{ bin = 1.0 }}
[arrangement.surfaces]
bin = {{ blue_tray_plastic = 1.0 }}
[rigs]
weights = {{ studio_softboxes = 1.0 }}
[surroundings]
weights = {{ workshop_room = 1.0 }}
[cameras]
views = 1
azimuth_deg = [0.0, 360.0]
elevation_deg = [50.0, 60.0]
fill = 0.9
focal_mm = 35.0
sensor_width_mm = 13.1
resolution = [640, 480]
[render]
samples = 8
denoise = true
[photos]
per_view = 1
sensors = {{ dslr_fullframe = 1.0 }}
lenses = {{ macro_100mm = 1.0 }}
"""


def settle_seconds(out: Path) -> tuple[float, int]:
    """Seconds that arranging the built scene takes again, and the triangles of its part."""
    from pipeline.arrange.arrange import arrange
    from pipeline.parts.part import load_part
    from pipeline.records import from_dict, read_json
    from pipeline.spec.scene import SceneSpec

    scene = from_dict(SceneSpec, read_json(next((out / "store" / "render").glob("*/*/scene.json"))))
    part = load_part(next((out / "store" / "part").glob("*/*/part.json")).parent)
    start = time.perf_counter()
    arrange(scene, {scene.items[0].part_id: part})
    return time.perf_counter() - start, len(part.triangles)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    with tempfile.TemporaryDirectory() as folder:
        spec, out = Path(folder) / "bin.toml", Path(folder) / "dataset"
        spec.write_text(SPEC.format(count=count))
        command = [sys.executable, str(ROOT / "run_pipeline.py"), "build", str(spec), "--out", str(out)]
        subprocess.run([*command, "--sync", "--quiet"], check=True)
        record = json.loads(next((out / "store" / "render").glob("*/*/record.json")).read_text())
        settled, triangles = settle_seconds(out)
    numbers = record["numbers"]
    print(f"{count} parts of {triangles} triangles: settled in {settled:.1f} s (bar 60)")
    print(f"Blender scene built in {numbers['build_seconds']:.1f} s (bar 10)")
    print(f"peak {numbers['peak_memory_bytes'] / 2**30:.2f} GiB (bar 6)")


if __name__ == "__main__":
    main()
