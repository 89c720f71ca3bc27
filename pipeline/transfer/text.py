"""Prompts as the UNet takes them.

Each prompt is encoded by itself, so that a photo's embedding does not depend on the prompts of its neighbours. Does not
cover: writing prompts (`prompts`), counting tokens (`tokenizer`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pipeline.transfer.denoise import Conditions
from pipeline.transfer.load import Networks
from pipeline.transfer.tokenizer import TOKEN_LIMIT, check_prompt, negative_text


def conditions_of(networks: Networks, prompts: Sequence[str], negative: str, guidance: float) -> Conditions:
    """Embeddings of *prompts* and, with guidance above 1, of the negative prompt with the negative embedding before it.

    Raises InputError for a prompt over 77 tokens.
    """
    known = {prompt: encode_prompt(networks, prompt) for prompt in dict.fromkeys(prompts)}
    towards = torch.stack([known[prompt] for prompt in prompts])
    if guidance <= 1:
        return Conditions(towards, None, 1.0)
    away = encode_prompt(networks, negative_text(networks.negative_prefix, negative))
    return Conditions(towards, away.expand_as(towards).contiguous(), guidance)


def encode_prompt(networks: Networks, prompt: str) -> torch.Tensor:
    """(77, context) in the networks' number format."""
    check_prompt(prompt, networks.tokenizer)
    tokens = networks.tokenizer(prompt, padding="max_length", max_length=TOKEN_LIMIT, return_tensors="pt")
    with torch.inference_mode():
        hidden = networks.text_encoder(tokens.input_ids.to(networks.device)).last_hidden_state
    result: torch.Tensor = hidden[0].to(networks.dtype)
    return result
