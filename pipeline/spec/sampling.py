"""Which numbers of UNet calls a scheduler can make at a strength: arithmetic, so that a spec is told before it is run.

Covers: distilled schedulers, Karras' spacing, schedules longer than the trained one. Does not cover: setting a
scheduler up (`transfer.schedulers`), which asks here too.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Final, NamedTuple

from pipeline.spec.transfer import SchedulerName

DISTILLED: Final = ("lcm", "tcd")
"""Schedulers that know only the steps of their distillation."""
KARRAS: Final = ("dpmpp_2m_karras", "dpmpp_2m_sde_karras")
"""Schedulers whose noise levels are spaced after Karras et al., arXiv 2206.00364, equation 5."""
DISTILLED_STEPS: Final = 50
"""Steps of the distillations of LCM and TCD, `original_inference_steps` of diffusers."""
TRAINED_STEPS: Final = 1000
"""Timesteps that Stable Diffusion 1.5 was trained with."""
_FIRST_BETA, _LAST_BETA = 0.00085, 0.012
"""Variances of the first and the last of them; their roots rise evenly (assets/transfer/sd15/scheduler)."""
_RHO: Final = 7
"""Karras' exponent."""


class CallsProblem(NamedTuple):
    """Why a scheduler cannot make so many calls."""

    expected: str
    found: str
    remedy: str


def calls_problem(scheduler: SchedulerName, unet_calls: int, strength: float) -> CallsProblem | None:
    """Why *scheduler* cannot make *unet_calls* at *strength*; None when it can."""
    if scheduler in KARRAS:
        possible = karras_steps(lambda steps: _karras_timestep(steps, unet_calls), unet_calls, strength) is not None
        return None if possible else karras_problem(unet_calls, strength)
    # beyond the trained steps some samplers repeat timesteps, and some divide by the zero between them
    steps = DISTILLED_STEPS if scheduler in DISTILLED else TRAINED_STEPS
    most = int(round(steps * strength, 6))
    if unet_calls <= most:
        return None
    expected = f"at most {most} UNet calls of scheduler {scheduler!r} at strength {strength:g}"
    return CallsProblem(expected, str(unet_calls), "lower unet_calls or raise the strength")


def karras_problem(unet_calls: int, strength: float) -> CallsProblem:
    """What is said where `karras_steps` finds none."""
    expected = f"a number of UNet calls that Karras' spacing can begin near strength {strength:g}"
    more = "take more" if unet_calls == 1 else "take another number"
    return CallsProblem(expected, str(unet_calls), f"{more}, or a scheduler without karras")


def schedule_steps(unet_calls: int, strength: float) -> int:
    """Steps of a whole schedule of which the last *unet_calls* make up *strength*: at least *unet_calls*.

    diffusers runs int(steps * strength) of them; that product is 0 for 4 * 0.2 and 2 for 10 * 0.29, so the calls are
    fixed and the steps follow. The strength that results is unet_calls / steps, at most *strength*.
    """
    return max(unet_calls, math.ceil(round(unet_calls / strength, 6)))


def karras_steps(
    begin: Callable[[int], float], unet_calls: int, strength: float, trained: int = TRAINED_STEPS
) -> int | None:
    """The fewest steps of which the last *unet_calls* lie below *strength*; None where they do not begin near it.

    *begin*: number of steps -> timestep at which the last *unet_calls* of them begin. There is no formula for Karras'
    spacing, so numbers are tried. Its last step is always at almost no noise: a single call would change nothing.
    """
    limit = strength * trained
    for steps in range(unet_calls, trained):
        if begin(steps) < limit:
            return steps if begin(steps) >= limit / 4 else None
    return None


def _karras_timestep(steps: int, unet_calls: int) -> float:
    """Timestep of Stable Diffusion 1.5 at which the last *unet_calls* of *steps* begin, as diffusers rounds it."""
    logs = _log_sigmas()
    low, high = (math.exp(end / _RHO) for end in (logs[0], logs[-1]))
    share = (steps - unet_calls) / (steps - 1) if steps > 1 else 0.0
    wanted = _RHO * math.log(high + share * (low - high))
    below = min(max(bisect_right(logs, wanted) - 1, 0), TRAINED_STEPS - 2)
    within = (wanted - logs[below]) / (logs[below + 1] - logs[below])
    return round(below + min(max(within, 0.0), 1.0))


@cache
def _log_sigmas() -> tuple[float, ...]:
    """Logarithm of the noise to signal at every timestep, rising."""
    first, last = math.sqrt(_FIRST_BETA), math.sqrt(_LAST_BETA)
    betas = ((first + (last - first) * step / (TRAINED_STEPS - 1)) ** 2 for step in range(TRAINED_STEPS))
    kept = accumulate((1.0 - beta for beta in betas), lambda product, share: product * share)
    return tuple(0.5 * math.log((1.0 - share) / share) for share in kept)
