"""docs/commands.md is what the commands say of themselves."""

from __future__ import annotations

from pipeline.cli import main
from pipeline.docs import PAGE, commands_page


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == commands_page(), "run `python -m pipeline.docs`"


def test_the_page_has_every_command_and_every_option():
    page = commands_page()
    for name, command in every_command(main.commands):
        assert f"## glint {name}\n" in page
        for parameter in command.params:
            assert all(option in page for option in parameter.opts if option.startswith("--"))


def every_command(commands, before=""):
    for name, command in commands.items():
        yield before + name, command
        yield from every_command(getattr(command, "commands", {}), f"{before}{name} ")
