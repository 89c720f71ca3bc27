"""Peak memory of a render child: one scene of 20 parts at 1024 x 1024.

Builds one scene of the nightly spec's parts with `--sync` and prints the child's peak resident memory, as the
operating system accounts it, against the bar of 2 GiB. Usage: python benchmarks/render_memory.py [SAMPLES]
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BAR_BYTES = 2 * 2**30


def spec_text(samples: int) -> str:
    """The nightly spec with one view of 1024 x 1024 and exactly 20 items."""
    text = (ROOT / "scenes" / "nightly.toml").read_text()
    for section, key, value in (
        ("items", "count", "20"),
        ("cameras", "resolution", "[1024, 1024]"),
        ("cameras", "views", "1"),
        ("render", "samples", str(samples)),
    ):
        pattern = rf"(?ms)(^\[{section}\]\n(?:(?!^\[).*\n)*?^{key} *= *)[^\n]*"
        text, found = re.subn(pattern, rf"\g<1>{value}", text)
        if not found:
            raise SystemExit(f"scenes/nightly.toml has no {section}.{key} any more; update this benchmark")
    return text


def main() -> None:
    """Measure and print."""
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    with tempfile.TemporaryDirectory() as folder:
        spec, out = Path(folder) / "memory.toml", Path(folder) / "dataset"
        spec.write_text(spec_text(samples))
        command = [sys.executable, str(ROOT / "run_pipeline.py"), "build", str(spec), "--out", str(out)]
        subprocess.run([*command, "--limit", "1", "--sync", "--quiet"], check=True)
        path = next((out / "store" / "render").glob("*/*/record.json"))
        record = json.loads(path.read_text())
    peak = record["numbers"]["peak_memory_bytes"]
    print(f"render child, 1024 x 1024, 20 parts: peak {peak / 2**20:.0f} MiB, {peak / BAR_BYTES:.2f} of the 2 GiB bar")


if __name__ == "__main__":
    main()
