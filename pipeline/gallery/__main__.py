"""`python -m pipeline.gallery`: render the gallery and write docs/gallery.md with its pictures.

Can be interrupted: finished tiles stay in the store, and the same command goes on from there.
"""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli import Commands
from pipeline.errors import EXIT_DONE, EXIT_PARTLY_FAILED
from pipeline.gallery.plan import SECTIONS, plan_gallery, sections_named
from pipeline.gallery.sheets import contact_sheet, page, save_sheet
from pipeline.gallery.tiles import render_tiles

ROOT = Path(__file__).parents[2]
PICTURES = "images/gallery"
"""Folder of the contact sheets, beside the page."""


@click.group(cls=Commands, invoke_without_command=True)
@click.option(
    "--only",
    type=click.Choice([section.name for section in SECTIONS]),
    multiple=True,
    help="This section; may be given several times. All by default.",
)
@click.option("--size", type=click.IntRange(64, 512), default=192, show_default=True, help="Width of a tile, pixels.")
@click.option(
    "--samples",
    type=click.IntRange(1, 4096),
    default=12,
    show_default=True,
    help="Paths per pixel of the photo, which has 2.25 for each of the tile.",
)
@click.option("--spec", type=click.Path(path_type=Path), default=ROOT / "scenes" / "gallery.toml", help="The scene.")
@click.option("--store", type=click.Path(path_type=Path), default=ROOT / "datasets" / "gallery", help="Finished tiles.")
@click.option("--docs", type=click.Path(path_type=Path), default=ROOT / "docs", help="Where the page goes.")
@click.option("--quiet", is_flag=True, help="No progress.")
def main(
    only: tuple[str, ...], size: int, samples: int, spec: Path, store: Path, docs: Path, quiet: bool
) -> int:  # the exit code
    """Render every metal, finish, process, film, defect, rig, surroundings and background on the same part."""
    frame = (size, size * 3 // 4)
    # Photos are half as large again as their tiles: shrinking hides what a sensor's colour filters blur.
    every = plan_gallery(spec, (), (frame[0] * 3 // 2, frame[1] * 3 // 2), samples)
    wanted = [tile for tile in every if not only or tile.section in only]
    shown = render_tiles(wanted, store, quiet=quiet)
    for section in sections_named(only):
        own = [one for one in shown if one.tile.section == section.name]
        path = docs / PICTURES / f"{section.name}.jpg"
        click.echo(f"{path}: {len(own)} tiles, {save_sheet(contact_sheet(own, frame), path) / 1000:.0f} kB")
    (docs / "gallery.md").write_text(page(every, PICTURES), encoding="utf-8")
    failed = [one for one in shown if one.photo is None]
    for one in failed:
        click.echo(f"failed: {one.tile.section} {one.tile.name}: {one.failure}", err=True)
    return EXIT_PARTLY_FAILED if failed else EXIT_DONE


if __name__ == "__main__":
    main()
