"""How often the gate rejects a generator that paints nonsense, in builds that are made to the end.

A tiny Stable Diffusion with random weights, in the original key layout, transfers every photo of SPEC at strengths
0.30, 0.20 and 0.12; limits come from its own round trips, as in any build. Prints how many photos were rejected, and
whether the dataset verifies. Methods: `plain` takes what the networks
paint, `residual` only its difference from their round trip, made twice as large.
Usage: python benchmarks/nonsense.py SPEC --out DATASET [--limit SCENES] [--least PHOTOS]. Bar: 99 % of 200 photos.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support import tiny_sd  # noqa: E402  (its folder is put on the path above)

from pipeline.dataset import open_dataset  # noqa: E402
from pipeline.dataset.build import open_build  # noqa: E402
from pipeline.dataset.verify import verify  # noqa: E402
from pipeline.graph.build import BuildOptions, build_dataset  # noqa: E402
from pipeline.transfer import place, store  # noqa: E402

BAR, LEAST_PHOTOS = 0.99, 200
METHODS = {"plain": "", "residual": "[transfer.residual]\ngain = 2.0\nsigma_part_px = 0\nsigma_background_px = 0\n"}


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="build only the first scenes")
    parser.add_argument("--least", type=int, default=LEAST_PHOTOS, help="photos that the bar asks for")
    return parser.parse_args()


def with_transfer(spec: Path, folder: Path, method: str) -> Path:
    """A copy of *spec* with a section `[transfer]`."""
    path = folder / spec.name
    lines = ['use = "required"', 'model = "tiny"', f'method = "{method}"', "strength = 0.3", "unet_calls = 2"]
    path.write_text(spec.read_text() + "\n[transfer]\n" + "\n".join(lines) + "\n" + METHODS[method])
    return path


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
        for method in METHODS:
            spec = with_transfer(chosen.spec, folder, method)
            settings = BuildOptions(sync=True, limit=chosen.limit, device="cpu", dtype="float32", batch=4)
            build_dataset(spec, chosen.out, settings)
            kept &= judged(chosen.out, method, chosen.least)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
