"""Prompts that are the same for every scene: one that is too long is told when a build is planned, not after rendering.

Covers: negative prompts with the embedding before them, painted pictures. Does not cover: prompts that scenes fill: a
photo whose prompt is too long stays as the camera took it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import InputError
from pipeline.spec.painted import PaintRequest
from pipeline.spec.transfer import TransferSpec
from pipeline.transfer.place import negative_vectors
from pipeline.transfer.tokenizer import check_negative, check_prompt


def expect_negative_prompt(spec: TransferSpec) -> None:
    """Raise InputError for a negative prompt over 77 tokens, those of the negative embedding among them."""
    vectors = negative_vectors(spec)
    if spec.guidance <= 1:  # it has no effect
        return
    before = f" behind the {vectors} tokens of {spec.negative_embedding}" if vectors else ""
    with _named(f"transfer.negative_prompt{before}"):
        check_negative(spec.negative_prompt, vectors)


def expect_painting_prompts(request: PaintRequest) -> None:
    """Raise InputError for a prompt of painted pictures over 77 tokens."""
    for name, prompt in request.prompts.items():
        with _named(f'painted.pictures "{name}"'):
            check_prompt(prompt)
    if request.painting.guidance > 1:
        with _named("painted.negative_prompt"):
            check_prompt(request.painting.negative_prompt)


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Say of an InputError within the block what it is about."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
