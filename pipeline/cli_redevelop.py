"""The part of `inspect` that develops a photo again: its options, and what it prints.

Covers: parsing, calling, printing. Does not cover: any work (`report.photo_source`, `camera.redevelop`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, get_args

import click

from pipeline.spec.scene import CCT_RANGE_K, Tone

_OPTIONS: Final = (
    click.option(
        "--exposure-ev", type=click.FloatRange(-10, 10), help="Redevelop at these stops from the metered exposure."
    ),
    click.option(
        "--light", multiple=True, metavar="GROUP=WEIGHT", help="Redevelop with another brightness of a light group."
    ),
    click.option("--tone", type=click.Choice(get_args(Tone)), help="Redevelop with another tone curve."),
    click.option("--white-balance", type=click.FloatRange(*CCT_RANGE_K), help="Redevelop with this white, kelvin."),
    click.option(
        "--bundle",
        type=click.Path(file_okay=False, path_type=Path),
        help="Redevelop from this light bundle, where the dataset keeps none.",
    ),
)


def redevelop_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options of `redevelop_photo`, in the order of the list."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def redevelop_photo(
    dataset: Path,
    photo_id: str | None,
    out: Path,
    *,
    exposure_ev: float | None,
    light: tuple[str, ...],
    tone: Tone | None,
    white_balance: float | None,
    bundle: Path | None,
) -> None:
    """Develop a photo again, say how it came out and where it is."""
    if photo_id is None:
        raise click.UsageError("only a photo of a dataset can be developed again: name the dataset and the photo")
    from pipeline.camera.redevelop import Changes, check_bundle, redevelop
    from pipeline.dataset.folders import check_writable, folder_errors
    from pipeline.records import from_dict
    from pipeline.report.inspect import photo_text
    from pipeline.report.photo_source import photo_source
    from pipeline.spec.scene import SceneSpec

    changes = Changes(exposure_ev, dict(_light_weight(text) for text in light), tone, white_balance)
    source = photo_source(dataset, photo_id)
    folder = bundle or source.bundle
    check_bundle(folder, source.scene_id, source.spec_path)
    place = out.parent if out.suffix else out
    check_writable(place)
    with folder_errors(place):
        scene = from_dict(SceneSpec, source.scene)
        row, path = redevelop(scene, source.view_index, source.photo_index, folder, changes, out)
    click.echo(photo_text({**row, "image_path": str(path)}, f"photo {photo_id}, developed again"))
    click.echo(f"picture: {path}")


def _light_weight(text: str) -> tuple[str, float]:
    """("rim", 0.5) of "rim=0.5"."""
    group, _, weight = text.rpartition("=")
    try:
        value = float(weight)
    except ValueError:
        value = math.nan
    if not group or not 0.0 <= value < math.inf:
        raise click.BadParameter(
            f"expected GROUP=WEIGHT with a weight of 0 or more, found {text!r}", param_hint="--light"
        )
    return group, value
