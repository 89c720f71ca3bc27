"""Draw which photos of a scene are transferred, with which prompt and seed.

Covers: the TransferSpec of a scene. Does not cover: filling templates (`transfer.prompts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.spec.scene import PhotoSpec
from pipeline.spec.seeds import Stream, seed_of
from pipeline.spec.transfer import PhotoTransfer, TransferSpec, strengths_from
from pipeline.spec.transfer_section import TransferSection

_SEED_BITS = 63


def draw_transfer(
    section: TransferSection, dataset_seed: int, index: int, photos: Sequence[PhotoSpec]
) -> TransferSpec | None:
    """How *photos* of scene *index* are transferred; None where the spec says off.

    Frames of a clip should not be given: each would change by itself, and they would flicker.
    """
    if section.use == "off":
        return None
    return TransferSpec(
        model=section.model,
        strengths=strengths_from(section.strength, section.ladder),
        unet_calls=section.unet_calls,
        guidance=section.guidance,
        scheduler=section.scheduler,
        method=section.method,
        negative_prompt=section.negative_prompt,
        photos=tuple(_draw_photos(section, dataset_seed, index, photos)),
        loras=dict(section.loras),
        negative_embedding=section.negative_embedding,
        controls=section.control_specs(),
        residual=section.residual_spec(),
        tiles=section.tiles_spec(),
        protect=section.protect,
        protect_processes=section.protect_processes,
    )


def _draw_photos(
    section: TransferSection, dataset_seed: int, index: int, photos: Sequence[PhotoSpec]
) -> Iterator[PhotoTransfer]:
    for photo in photos:
        name = f"transfer.v{photo.view_index}.p{photo.photo_index}"
        draw = Stream(dataset_seed, index, name)
        chosen, place = draw.below(section.probability), int(draw.u() * len(section.prompts))
        if chosen:
            seed = seed_of(dataset_seed, index, f"{name}.noise", _SEED_BITS)
            yield PhotoTransfer(photo.view_index, photo.photo_index, section.prompts[place], seed)
