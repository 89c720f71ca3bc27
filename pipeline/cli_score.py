"""The command `score`: a dataset against real photographs.

Covers: parsing and printing. Does not cover: any metric (`pipeline.realism`).
"""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("dataset", type=FOLDER)
@click.option("--real", type=FOLDER, required=True, help="Folder of real photos, at least 16 of about the same size.")
@click.option("--build", "number", metavar="NUMBER", help="Build whose photos are compared; default: the newest.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write all numbers here too."
)
def score(dataset: Path, real: Path, number: str | None, json_file: Path | None) -> None:
    """Measure how far the photos of DATASET are from real ones.

    Camera photos, transferred photos and one half of the real photos are each compared with the other half; a
    distance no larger than that between the halves is no difference. Without real photos nothing can be claimed.
    """
    from pipeline.dataset.folders import check_writable, folder_errors
    from pipeline.dataset.reader import Dataset
    from pipeline.realism.score import score_dataset, score_lines
    from pipeline.records import write_json

    if json_file is not None:
        check_writable(json_file.parent)
    found = score_dataset(Dataset(dataset, number), real)
    for line in score_lines(found):
        click.echo(line)
    if json_file is not None:
        with folder_errors(json_file.parent):
            write_json(json_file, found)
