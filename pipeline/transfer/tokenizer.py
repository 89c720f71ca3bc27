"""CLIP's tokens without a network: the vocabulary that OpenAI published, as open_clip ships it.

Covers: building transformers' tokenizer from assets/transfer/tokenizer, and the limit of 77 tokens. A prompt that does
not fit is refused: CLIP would drop its end without a word, and what is dropped is what somebody wanted to see.
"""

from __future__ import annotations

import gzip
from functools import cache
from typing import Any, Final

from pipeline.errors import InputError
from pipeline.tables import assets_root
from pipeline.transfer.offline import stay_offline

TOKEN_LIMIT: Final = 77
"""Positions of SD1.5's text encoder, the start and end marks among them."""
VOCABULARY_SIZE: Final = 49408
_MERGES: Final = 49152 - 256 - 2
"""Lines of the file that SD1.5's vocabulary uses: 256 bytes, 256 bytes that end a word, these, and two marks."""


def _characters_of_bytes() -> list[str]:
    """The printable character that stands for each byte in GPT-2's and CLIP's vocabularies, in their order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + index) for index in range(len(others))]


@cache
def vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Token -> id (49408 of them), and the merges in order of rank."""
    path = assets_root() / "transfer" / "tokenizer" / "bpe_simple_vocab_16e6.txt.gz"
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    pairs = [line.split() for line in lines[1 : _MERGES + 1]]
    merges = [(left, right) for left, right in pairs]
    letters = _characters_of_bytes()
    tokens = [*letters, *(letter + "</w>" for letter in letters), *(a + b for a, b in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return {token: index for index, token in enumerate(tokens)}, merges


def make_tokenizer() -> Any:
    """A transformers CLIPTokenizer."""
    stay_offline()
    from transformers import CLIPTokenizer

    tokens, merges = vocabulary()
    return CLIPTokenizer(vocab=dict(tokens), merges=list(merges), model_max_length=TOKEN_LIMIT)


@cache
def _shared_tokenizer() -> Any:
    return make_tokenizer()


def negative_text(prefix: str, negative: str) -> str:
    """What the networks are moved away from: the words of a negative embedding, then the negative prompt."""
    return ", ".join(text for text in (prefix, negative) if text)


def check_negative(negative: str, vectors: int) -> int:
    """`check_prompt` of *negative* with the words of an embedding of so many *vectors* before it, one token each."""
    if not vectors:
        return check_prompt(negative)
    words = [f"<vector-{number}>" for number in range(vectors)]
    tokenizer = make_tokenizer()
    tokenizer.add_tokens(words)
    return check_prompt(negative_text(" ".join(words), negative), tokenizer)


def check_prompt(prompt: str, tokenizer: Any = None) -> int:
    """Tokens of *prompt*, start and end among them.

    Raises InputError when there are more than 77, naming the part that would be dropped. *tokenizer* is one that knows
    more words (embeddings); default: CLIP's own.
    """
    tokenizer = tokenizer or _shared_tokenizer()
    ids = tokenizer(prompt, truncation=False).input_ids
    if len(ids) <= TOKEN_LIMIT:
        return len(ids)
    lost = tokenizer.decode(ids[TOKEN_LIMIT - 1 : -1]).strip()
    raise InputError(
        f"expected a prompt of at most {TOKEN_LIMIT - 2} tokens, found {len(ids) - 2}; the model would not see its "
        f'end: "{lost}"; shorten the prompt or its template'
    )
