"""docs/commands.md, made from the commands themselves: `python -m pipeline.docs`.

Does not cover: pages written by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from pipeline.cli import main

PAGE: Final = Path(__file__).parent.parent / "docs" / "commands.md"
WIDTH: Final = 100

_HEAD: Final = """# Commands

Made from the commands themselves by `python -m pipeline.docs`; a test holds it current. `glint` and
`python run_pipeline.py` are the same.

| exit code | means |
|---|---|
| 0 | done |
| 1 | part of the work failed and was quarantined, or the program is at fault |
| 2 | the input is wrong: a spec, a CAD file, an id, an option |
| 3 | the environment is wrong: no Blender for this Python, a missing library, no space |
| 4 | `verify` found damage |
| 130 | interrupted; safe to rerun |

For developers: `GLINT_STAGES=module:attribute` puts another registry of stages in place of the real ones;
`GLINT_STAGES=pipeline.graph.fake:STAGES` runs the whole graph in seconds with 8 x 8 pictures that show nothing.
`GLINT_TRUST_NETWORK=1` allows an unencrypted `--scheduler tcp://...` on another machine.
"""


def commands_page() -> str:
    """The page, as Markdown."""
    settings = {**main.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(main, info_name="glint", **settings)
    sections = [_HEAD, _section(main, context)]
    for name in main.commands:
        sections += _sections(main.commands[name], name, context)
    return "\n".join(sections)


def _sections(command: click.Command, name: str, parent: click.Context) -> list[str]:
    """The section of a command and of those below it."""
    context = click.Context(command, info_name=name, parent=parent)
    below = command.commands if isinstance(command, click.Group) else {}
    sections = [_section(command, context)]
    for inner in below:
        sections += _sections(below[inner], inner, context)
    return sections


def _section(command: click.Command, context: click.Context) -> str:
    return f"## {context.command_path}\n\n```\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
