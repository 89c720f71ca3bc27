"""Images per processor hour with eight photos per view over those with one, at the same render settings.

Builds the same scene of the quickstart spec twice, each into a dataset of its own, and counts the processor time of
the command and of all its children. Usage: python benchmarks/photos_per_view.py [SCENES] [SAMPLES] [WIDTH]
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "scenes" / "quickstart.toml"
BAR = 5.0
MANY = 8


def variant(folder: Path, photos: int, samples: int, width: int) -> Path:
    """The spec with another number of photos per view, samples and size."""
    text = SPEC.read_text(encoding="utf-8")
    for pattern, line in (
        (r"^per_view = .*$", f"per_view = {photos}"),
        (r"^samples = .*$", f"samples = {samples}"),
        (r"^resolution = .*$", f"resolution = [{width}, {width * 3 // 4}]"),
    ):
        text, found = re.subn(pattern, line, text, flags=re.MULTILINE)
        if found != 1:
            raise RuntimeError(f"expected one line {pattern} in {SPEC}, found {found}")
    path = folder / f"photos{photos}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def cpu_seconds(spec: Path, dataset: Path, scenes: int) -> float:
    """Processor seconds, of user and system, of building the first *scenes* scenes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, str(ROOT / "run_pipeline.py"), "build", str(spec), "--out", str(dataset)]
    subprocess.run([*command, "--limit", str(scenes), "--sync", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    """Measure and print."""
    numbers = [int(argument) for argument in sys.argv[1:]]
    scenes, samples, width = (*numbers, *(2, 32, 640)[len(numbers) :])
    rates = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cpu_seconds(variant(folder, 1, 1, 64), folder / "warm", scenes)  # reads the parts, which both runs remember
        for photos in (1, MANY):
            seconds = cpu_seconds(variant(folder, photos, samples, width), folder / f"dataset{photos}", scenes)
            rates[photos] = photos * scenes / seconds * 3600
            print(
                f"{photos} per view: {seconds:.1f} CPU s for {photos * scenes} photos, {rates[photos]:.0f} per CPU-hour"
            )
    print(f"ratio {rates[MANY] / rates[1]:.2f} (bar: at least {BAR})")


if __name__ == "__main__":
    main()
