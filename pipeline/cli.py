"""The command line: parse, call, print. Every command is a few lines over a function of a room.

Covers: commands, exit codes, what a user sees of an error. Does not cover: any work. Rooms are imported by the command
that needs them, so that `--help` is quick. Results go to stdout, progress and problems to stderr.
"""

from __future__ import annotations

import errno
import os
import sys
import time
import traceback
from pathlib import Path
from typing import Any, NoReturn

import click

import pipeline
from pipeline.cli_machine import transfer_options
from pipeline.cli_models import models
from pipeline.cli_redevelop import redevelop_options, redevelop_photo
from pipeline.cli_score import score
from pipeline.errors import (
    EXIT_BAD_ENVIRONMENT,
    EXIT_DAMAGE,
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_PARTLY_FAILED,
    GlintError,
)

FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(path_type=Path)
_DEBUG = "--debug"


class Commands(click.Group):
    """A group whose errors become one message and an exit code; `--debug` may stand anywhere."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Commands in the order in which a user meets them."""
        return list(self.commands)

    def main(self, args: Any = None, *rest: Any, **settings: Any) -> NoReturn:
        """Run a command and leave with its exit code."""
        arguments = list(sys.argv[1:] if args is None else args)
        debug = _DEBUG in arguments
        arguments = [argument for argument in arguments if argument != _DEBUG]
        settings["standalone_mode"] = False
        try:
            code = super().main(arguments, *rest, **settings)
        except Exception as error:  # the border to the user: no traceback crosses it unasked
            code = _explain_error(error, debug)
        except KeyboardInterrupt:
            code = _explain_interrupt()
        sys.exit(code if isinstance(code, int) else EXIT_DONE)


def _explain_error(error: Exception, debug: bool) -> int:
    """Print what *error* means to a user; returns the exit code."""
    if isinstance(error, click.Abort):
        return _explain_interrupt()
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        return _quiet_broken_pipe()
    if debug:
        traceback.print_exception(error)
    if isinstance(error, GlintError):
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    if not debug:
        click.echo(f"unexpected {type(error).__name__}: {error}", err=True)
        click.echo("This is a fault of the program. Run the same command with --debug to see where.", err=True)
    return EXIT_PARTLY_FAILED


def _explain_interrupt() -> int:
    click.echo("interrupted; safe to rerun: run the same command to go on from here", err=True)
    return EXIT_INTERRUPTED


def _quiet_broken_pipe() -> int:
    """The reader of stdout went away (`| head`): nothing to say, and nothing may be said at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_PARTLY_FAILED


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(pipeline.__version__, prog_name="glint")
@click.option(_DEBUG, is_flag=True, help="Show the traceback of an error. May stand anywhere.")
def main(debug: bool) -> None:
    """Turn CAD parts into photographs of metal in which every reflection is labelled.

    Exit codes: 0 done; 1 part of the work failed and was quarantined; 2 the input is wrong; 3 the environment is
    wrong; 4 verify found damage; 130 interrupted, safe to rerun.
    """


@main.command()
@click.argument("spec", type=FILE)
@click.option("--out", type=FOLDER, help="Dataset folder to compare with. Without it, everything is still to do.")
@click.option("--explain", is_flag=True, help="Say for each output that has to be made what changed.")
@click.option("--limit", type=click.IntRange(min=1), help="Plan only the first scenes.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes that the time is estimated for.")
@transfer_options
def plan(spec: Path, out: Path | None, explain: bool, limit: int | None, workers: int | None, **machine: Any) -> None:
    """Say what a build of SPEC would do.

    How much is in the store already, how long the rest should take, and with --explain why it has to be made.
    """
    from pipeline.graph.build import BuildOptions
    from pipeline.graph.estimate import plan_dataset

    options = BuildOptions(workers=workers, limit=limit, **machine)
    tell = click.echo if explain else None
    for line in plan_dataset(spec, out, options, tell):
        click.echo(line)


@main.command()
@click.argument("spec", type=FILE)
@click.option("--out", type=FOLDER, required=True, help="Dataset folder; made when absent.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes; default: one per four cores.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads per render; default: all cores / workers.")
@click.option("--scheduler", metavar="ADDRESS", help="Use the Dask scheduler there, for example tls://host:8786.")
@click.option("--sync", is_flag=True, help="Run everything in this process, one action after the other, without Dask.")
@click.option("--limit", type=click.IntRange(min=1), help="Build only the first scenes.")
@click.option("--stop-after", type=click.IntRange(min=1), help="Give up when this many scenes have failed.")
@click.option("--quiet", is_flag=True, help="No progress; only the result and problems.")
@transfer_options
def build(spec: Path, out: Path, quiet: bool, **machine: Any) -> None:
    """Make the dataset that SPEC describes.

    What is there already is not made again. A scene that fails is left out and described in DATASET/quarantine; the
    others are built (exit code 1).
    """
    from pipeline.graph.build import BuildOptions, build_dataset

    if machine["sync"] and (machine["workers"] or machine["scheduler"]):
        raise click.UsageError("--sync runs in this process: leave out --workers and --scheduler")
    if machine["scheduler"] and machine["workers"]:
        raise click.UsageError("--scheduler brings its own workers: leave out --workers")
    started = time.monotonic()
    result = build_dataset(spec, out, BuildOptions(quiet=quiet, **machine))
    for line in result.lines(out, time.monotonic() - started):
        click.echo(line)
    if result.quarantined:
        click.echo(result.quarantine_line(out), err=True)
        raise click.exceptions.Exit(EXIT_PARTLY_FAILED)


@main.command()
@click.argument("spec", type=FILE)
@click.argument("scene_id")
@click.option("--out", type=FOLDER, required=True, help="Folder for the files; new, empty, or of an earlier run.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads of the render; default: all cores.")
@transfer_options
def scene(spec: Path, scene_id: str, out: Path, threads: int | None, **machine: Any) -> None:
    """Make one scene of SPEC by itself.

    Its files have the same bytes as in a build; no dataset is needed and nothing is reused.
    """
    from pipeline.graph.single import make_scene

    started = time.monotonic()
    made = make_scene(spec, scene_id, out, threads, tell=lambda line: click.echo(line, err=True), **machine)
    stages = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in made.seconds.items())
    click.echo(f"{made.scene_id} in {made.folder}: {time.monotonic() - started:.1f} s ({stages})")


@main.command()
@click.argument("dataset", type=FOLDER)
@click.option("--build", "number", metavar="NUMBER", help="Check the tables of this build; default: the newest.")
@click.option("--fast", is_flag=True, help="Checksums and tables only; do not open the pictures.")
@click.option("--quiet", is_flag=True, help="Only problems.")
def verify(dataset: Path, number: str | None, fast: bool, quiet: bool) -> None:
    """Check every checksum, count and invariant of DATASET.

    Each problem is one line; exit code 4 when there is any.
    """
    from pipeline.dataset.verify import verify as verify_dataset

    report = verify_dataset(dataset, number, deep=not fast)
    for problem in report.problems:
        click.echo(str(problem))
    if not report.ok:
        count = f"{len(report.problems)} problem{'s' if len(report.problems) > 1 else ''}"
        click.echo(
            f"error: found {count} in {dataset}; remove the folders store/<stage>/<..>/<key> named above (and LATEST, "
            f"if builds/ is named) and run the build again: it makes them anew",
            err=True,
        )
        raise click.exceptions.Exit(EXIT_DAMAGE)
    if not quiet:
        checked = ", ".join(f"{count} {what}" for what, count in report.checked.items())
        click.echo(f"{dataset}: sound ({checked})")


@main.command()
@click.argument("target", type=FILE)
@click.argument("name", metavar="[ID]", required=False)
@click.option("--out", type=FILE, default=Path(), help="Folder for the picture; default: the current one.")
@click.option("--units", help="Length unit of a CAD file that names none, for example mm.")
@click.option("--apart", is_flag=True, help="Write each picture of a scene, view or photo into a file of its own, too.")
@redevelop_options
def inspect(target: Path, name: str | None, out: Path, units: str | None, apart: bool, **photo: Any) -> None:
    """Show a scene, view, photo or CAD file.

    TARGET is a dataset folder, with the ID of a scene, view or photo, or it is a CAD file. Writes a picture too.

    With any option that says "redevelop", the photo ID is developed again from its light bundle, metered as the
    camera would, without rendering; --out may then name a .png or .jpg file.
    """
    if target.is_dir() and name is None:
        raise click.UsageError("inspect of a dataset needs the ID of a scene, view or photo")
    if any(photo.values()) or photo["exposure_ev"] is not None:
        redevelop_photo(target, name, out, **photo)
        return
    from pipeline.dataset.folders import check_writable, folder_errors

    check_writable(out)
    with folder_errors(out):
        if name is not None:
            from pipeline.report.inspect import inspect_id

            text, picture = inspect_id(target, name, out, apart=apart)
        else:
            from pipeline.parts.inspect import inspect_file

            text, picture = inspect_file(target, units, out)
    click.echo(text)
    click.echo(f"picture: {picture}")


@main.command()
@click.argument("dataset", type=FOLDER)
@click.option("--build", "number", metavar="NUMBER", help="Build to report on; default: the newest.")
def report(dataset: Path, number: str | None) -> None:
    """Write the report of a build again."""
    from pipeline.dataset.build import open_build
    from pipeline.dataset.folders import folder_errors
    from pipeline.report.report import write_report

    folder = open_build(dataset, number).folder
    with folder_errors(folder):
        written = write_report(dataset, folder)
    click.echo(str(written))


@main.command()
@click.argument("dataset", type=FOLDER)
@click.option("--build", "number", metavar="NUMBER", help="Build whose clips are read; default: the newest.")
@click.option("--split", type=click.Choice(["train", "val", "test"]), help="Clips of this split only; default: all.")
def clips(dataset: Path, number: str | None, split: str | None) -> None:
    """Compare policies of choosing a reference frame on the clips of DATASET.

    For each policy: the share of the overexposed pixels that its stored frame shows well exposed, and how good the
    picture is that it restores.
    """
    from pipeline.clips.summary import summary
    from pipeline.dataset.reader import Dataset

    for line in summary(Dataset(dataset, number), split):
        click.echo(line)


main.add_command(score)


@main.command()
@click.argument("dataset", type=FOLDER)
@click.argument("a")
@click.argument("b")
def diff(dataset: Path, a: str, b: str) -> None:
    """Say what changed from build A to build B.

    A and B are numbers of builds of DATASET, for example 0001 0002.
    """
    from pipeline.dataset.diff import diff as diff_builds

    found = diff_builds(dataset, a, b)
    for name, changes in (("scenes", found.scenes), ("photos", found.photos)):
        counts = ", ".join(f"{len(getattr(changes, how))} {how}" for how in ("added", "removed", "changed"))
        click.echo(f"{name}: {counts}")
    for how in ("added", "removed", "changed"):
        for scene_id in getattr(found.scenes, how):
            click.echo(f"  {how} {scene_id}")
    for line in found.spec:
        click.echo(line)


@main.command()
@click.argument("dataset", type=FOLDER)
@click.option("--keep", type=click.IntRange(min=1), default=3, show_default=True, help="Builds to keep.")
@click.option(
    "--spare-hours", type=click.FloatRange(min=0), default=24.0, show_default=True, help="Keep younger outputs."
)
@click.option("--yes", is_flag=True, help="Remove; without it, only say what would go.")
def gc(dataset: Path, keep: int, spare_hours: float, yes: bool) -> None:
    """Remove old builds and what only they need."""
    from pipeline.dataset.gc import collect, plan_gc

    found = plan_gc(dataset, keep, spare_hours * 3600)
    if yes:
        collect(dataset, found)
    verb = "removed" if yes else "would remove"
    click.echo(
        f"{verb} {len(found.builds)} builds and {len(found.outputs)} outputs ({found.bytes / 2**20:.1f} MiB); "
        f"kept builds {', '.join(found.kept_builds)} and {found.kept_outputs} outputs"
    )
    if not yes and (found.builds or found.outputs):
        click.echo("run the same command with --yes to remove them")


main.add_command(models)


@main.command()
def doctor() -> None:
    """Check this machine and say what is missing."""
    from pipeline.doctor import examine

    findings = examine()
    for finding in findings:
        click.echo(f"{'ok     ' if finding.ok else 'MISSING'} {finding.what}: {finding.found}")
        if not finding.ok:
            click.echo(f"        {finding.remedy}")
    if not all(finding.ok for finding in findings):
        raise click.exceptions.Exit(EXIT_BAD_ENVIRONMENT)
