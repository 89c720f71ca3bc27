"""How often the gate rejects a generator that paints nonsense, in builds that are made to the end.

A tiny Stable Diffusion with random weights, in the original key layout, transfers every photo of SPEC at strengths
0.30, 0.20 and 0.12; limits come from its own round trips, as in any build. Prints how many photos were rejected, and
whether the dataset verifies. Methods: `plain` takes what the networks paint, `residual` what a build does by default:
the blurred difference from their round trip, away from silhouettes; `raw` that difference unblurred and twice as large.
Usage: python benchmarks/nonsense.py SPEC --out DATASET [--method M] [--limit SCENES] [--least PHOTOS]. Bar: 99 % of 200
photos.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

import cv2

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import tiny_sd  # noqa: E402  (its folder is put on the path above)

from pipeline.dataset import open_dataset  # noqa: E402
from pipeline.dataset.build import open_build  # noqa: E402
from pipeline.dataset.reader import Dataset  # noqa: E402
from pipeline.dataset.verify import verify  # noqa: E402
from pipeline.graph.build import BuildOptions, build_dataset  # noqa: E402
from pipeline.transfer import place, store  # noqa: E402

BAR, LEAST_PHOTOS = 0.99, 200
TRANSFER = """
[transfer]
use = "required"
model = "tiny"
keep_camera = true
strength = 0.3
unet_calls = 2
"""
RAW = "[transfer.residual]\ngain = 2.0\nsigma_part_px = 0\nsigma_background_px = 0\n"
METHODS = {"plain": 'method = "plain"\n', "residual": "", "raw": RAW}
KEPT, ALL = 'keep = ["photos", "truth"]', 'keep = ["photos", "truth", "bundles"]'


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--method", choices=METHODS, action="append", help="default: all of them")
    parser.add_argument("--limit", type=int, help="build only the first scenes")
    parser.add_argument("--least", type=int, default=LEAST_PHOTOS, help="photos that the bar asks for")
    return parser.parse_args()


def with_transfer(spec: Path, folder: Path, method: str) -> Path:
    """A copy of *spec* with a section `[transfer]`; it keeps the bundles, which the next method starts from."""
    path = folder / spec.name
    text = spec.read_text().replace(KEPT, ALL)
    path.write_text(text + TRANSFER + METHODS[method])
    return path


def psnr(dataset: Dataset, photo_id: str) -> float:
    """Decibels between a changed photo and the camera's."""
    return float(cv2.PSNR(dataset.image(photo_id), dataset.camera_image(photo_id)))


def judged(out: Path, method: str, least: int) -> bool:
    """Print what became of the newest build; whether the bar holds."""
    dataset = open_dataset(out)
    record = open_build(out).record.transfer
    tries = [row for row in dataset.table("transfers").to_pylist() if row["try_index"]]
    over = [{one["score"] for one in json.loads(row["exceeded"] or "[]")} for row in tries]
    by = Counter(score for scores in over for score in scores)
    told = ", ".join(f"{score} {100 * count / len(tries):.0f} %" for score, count in by.most_common(5))
    share = 1.0 - record.kept / record.tried
    problems = verify(out).problems
    print(f"{method}: {record.tried} photos, {100 * share:.1f} % rejected after {len(tries)} tries")
    print(f"  tries above the lowest limits: {told}")
    changed = [photo for photo in dataset.photos.to_pylist() if photo["origin"] == "sd15"]
    for decibels in [psnr(dataset, photo["photo_id"]) for photo in changed]:
        print(f"  kept, {decibels:.1f} dB from the camera's photo")
    print(f"  verify: {'no problem' if not problems else '; '.join(map(str, problems[:3]))}")
    return share >= BAR and record.tried >= least and not problems


def main() -> int:
    """Build once per method; 0 when every bar holds."""
    chosen = options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["GLINT_MODELS"] = str(folder / "models")
        tiny = tiny_sd.make(folder)
        place.sd15_config = lambda: tiny.config  # the only config that a build knows is the full size
        store.add_model(tiny.file, "tiny", licence="CC0-1.0", config=tiny.config)
        kept = True
        for method in chosen.method or METHODS:
            spec = with_transfer(chosen.spec, folder, method)
            settings = BuildOptions(sync=True, limit=chosen.limit, device="cpu", dtype="float32", batch=4)
            build_dataset(spec, chosen.out, settings)
            kept &= judged(chosen.out, method, chosen.least)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
