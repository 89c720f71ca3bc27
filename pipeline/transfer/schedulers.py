"""Schedulers by name, and the timesteps that make up a strength in exactly the calls that were asked for.

The samplers are diffusers'; ddim and the multistep solvers are deterministic after the first noise, the others draw
more from each photo's own generator. Does not cover: the loop (`denoise`).
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Final

import torch

from pipeline.errors import InputError
from pipeline.spec.sampling import DISTILLED, CallsProblem, calls_problem, karras_problem, karras_steps, schedule_steps
from pipeline.spec.transfer import SchedulerName

_CLASSES: Final[dict[SchedulerName, tuple[str, dict[str, Any]]]] = {
    "ddim": ("DDIMScheduler", {}),
    "dpmpp_2m": ("DPMSolverMultistepScheduler", {}),
    "dpmpp_2m_karras": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
    "dpmpp_2m_sde_karras": (
        "DPMSolverMultistepScheduler",
        {"use_karras_sigmas": True, "algorithm_type": "sde-dpmsolver++"},
    ),
    "unipc": ("UniPCMultistepScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "tcd": ("TCDScheduler", {}),
}
"""Class of diffusers and what differs from its defaults."""
_OF_MODEL: Final = (
    "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "rescale_betas_zero_snr",
    "prediction_type", "original_inference_steps", "timestep_scaling",
)  # fmt: skip
"""What a checkpoint may say: how its network was trained or distilled. The rest of its scheduler's config is how
somebody once sampled, with that scheduler's own defaults in it."""
_OF_SAMPLER: Final = {
    "timestep_spacing": "trailing",
    "steps_offset": 1,
    "set_alpha_to_one": False,
    "clip_sample": False,
    "thresholding": False,
}
"""The same for every checkpoint. Latents are not confined to -1..1, so they are never clipped. With trailing spacing
steps end where the noise is least and begin at the strength (Lin et al., arXiv 2305.08891, section 3.3); with
diffusers' default, "leading", one call at strength 0.2 would begin at timestep 1 of 1000 and change nothing."""


@dataclass(frozen=True)
class Schedule:
    """A scheduler of diffusers that is set up, and the timesteps that are run."""

    scheduler: Any
    timesteps: torch.Tensor
    step_options: dict[str, Any]
    """What `step` takes beside the usual."""

    def step(self, noise: torch.Tensor, timestep: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """The latents one step on."""
        result: torch.Tensor = self.scheduler.step(noise, timestep, latents, **self.step_options, return_dict=False)[0]
        return result

    def noisy(self, clean: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor) -> torch.Tensor:
        """*clean* at the noise level of *timestep*."""
        result: torch.Tensor = self.scheduler.add_noise(clean, noise, timestep.reshape(1).expand(len(clean)))
        return result


def schedule(
    name: SchedulerName,
    trained: dict[str, Any],
    unet_calls: int,
    strength: float,
    device: torch.device,
    generators: list[torch.Generator],
) -> Schedule:
    """Set up scheduler *name* for exactly *unet_calls* steps that end at the photo.

    *trained* is the checkpoint's scheduler config, of which counts what belongs to the network; *generators* one per
    photo of the batch, on the CPU. Raises InputError when it cannot make so many at this strength (`spec.sampling`).
    """
    import diffusers

    _expect_possible(calls_problem(name, unet_calls, strength))

    kind, changes = _CLASSES[name]
    known = {key: trained[key] for key in _OF_MODEL if key in trained}
    scheduler = getattr(diffusers, kind).from_config(known | _OF_SAMPLER | changes)
    if name in DISTILLED:
        scheduler.set_timesteps(unet_calls, device=device, strength=strength)
        first = 0
    else:
        _set_steps(scheduler, unet_calls, strength, device)
        first = len(scheduler.timesteps) - unet_calls
    scheduler.set_begin_index(first) if hasattr(scheduler, "set_begin_index") else None
    timesteps = scheduler.timesteps[first:]
    if len(timesteps) != unet_calls:
        raise RuntimeError(f"{name} makes {len(timesteps)} steps, not {unet_calls}")
    takes = inspect.signature(scheduler.step).parameters
    return Schedule(scheduler, timesteps, {"generator": generators} if "generator" in takes else {})


def _set_steps(scheduler: Any, unet_calls: int, strength: float, device: torch.device) -> None:
    """The fewest steps of which *unet_calls* lie below *strength*."""
    steps: int | None = schedule_steps(unet_calls, strength)
    if scheduler.config.get("use_karras_sigmas"):

        def begin(steps: int) -> float:
            scheduler.set_timesteps(steps)
            return float(scheduler.timesteps[-unet_calls])

        steps = karras_steps(begin, unet_calls, strength, scheduler.config.num_train_timesteps)
    if steps is None:
        raise _as_error(karras_problem(unet_calls, strength))
    scheduler.set_timesteps(steps, device=device)


def _expect_possible(problem: CallsProblem | None) -> None:
    if problem is not None:
        raise _as_error(problem)


def _as_error(problem: CallsProblem) -> InputError:
    return InputError(f"expected {problem.expected}, found {problem.found}; {problem.remedy}")
