"""The errors a user can meet, and the exit code that each of them means.

Every message says what was expected, what was found and what to do about it. `pipeline.cli` prints the message as
one block and leaves with `exit_code`; a traceback is shown only with `--debug`. Code that meets a problem the user
cannot cause (a broken invariant of our own) raises an ordinary Python exception instead.
"""

from __future__ import annotations

from typing import Final

EXIT_DONE: Final = 0
EXIT_PARTLY_FAILED: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_BAD_ENVIRONMENT: Final = 3
EXIT_DAMAGE: Final = 4
EXIT_INTERRUPTED: Final = 130


class GlintError(Exception):
    """Base of every error that is shown to a user as a message."""

    exit_code: int = EXIT_PARTLY_FAILED


class InputError(GlintError, ValueError):
    """The user's input is wrong: a spec, a CAD file, an id, a path."""

    exit_code = EXIT_BAD_INPUT


class EnvironmentProblem(GlintError, RuntimeError):
    """The machine is wrong: no Blender for this Python, a missing library, no space, a folder that is not writable."""

    exit_code = EXIT_BAD_ENVIRONMENT


class BatchTooLarge(EnvironmentProblem):
    """Memory ran out for a network call of several photos. A build goes on with *smaller* photos a call."""

    def __init__(self, message: str, smaller: int = 1) -> None:
        super().__init__(message)
        self.smaller = smaller


class StageFailed(GlintError, RuntimeError):
    """One action of a build failed; the build goes on and the scenes that need it are quarantined."""

    exit_code = EXIT_PARTLY_FAILED


class DamageFound(GlintError, RuntimeError):
    """`verify` found a file, a count or an invariant that does not hold."""

    exit_code = EXIT_DAMAGE
