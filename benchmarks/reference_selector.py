"""Reference selectors on rendered clips: the rule, tuned on the training split, against baselines on the test split.

Needs a build of scenes/clips.toml: `python run_pipeline.py build scenes/clips.toml --out DATASET`. Prints one table per
split; the fixed lag that is best on the training split is marked, as is what the best past frame would give (a
selector that knew the future). Usage: python benchmarks/reference_selector.py DATASET
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.clips.evaluate import Judge, best_lag, tune
from pipeline.clips.load import load_clips
from pipeline.clips.selector import RuleBased
from pipeline.clips.summary import policies, score_lines
from pipeline.dataset import open_dataset


def main(folder: Path) -> None:
    """Tune on the training clips of the dataset in *folder*, and print both tables."""
    dataset = open_dataset(folder)
    train, test = (Judge(load_clips(dataset, split)) for split in ("train", "test"))
    if not train.clips or not test.clips:
        sys.exit(
            f"expected clips in the splits train and test of {folder}, found {len(train.clips)}, {len(test.clips)}"
        )
    rule = tune(train)
    lag = best_lag(train, [policy for policy in policies() if policy.name.startswith("fixed_lag")])
    print(f"tuned on {len(train.clips)} training clips: {rule}")
    print(f"in the code: {RuleBased()}")
    print(f"best fixed lag on them: {lag.name}")
    for name, judge in (("training clips", train), ("held-out test clips", test)):
        print(f"\n{name}")
        print(*score_lines([judge.evaluate(policy) for policy in policies(rule)]), sep="\n")
        print(f"{'best past frame':<16} {'':>5} {'':>6} {100 * judge.ceiling():>7.1f} %")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
