"""Options of commands that may transfer photos: where networks run on this machine.

Does not cover: which model and how (the spec, [transfer]).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_OPTIONS = (
    click.option("--device", default="auto", help='Where transfer runs: "auto" (default), "cpu" or "cuda:N".'),
    click.option(
        "--dtype",
        type=click.Choice(["auto", "float32", "bfloat16", "float16"]),
        default="auto",
        help="Number format of transfer; default: as suits the device.",
    ),
    click.option("--batch", type=click.IntRange(1, 256), help="Photos per network call; default: 1, on a GPU 8."),
)


def transfer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* --device, --dtype and --batch."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
