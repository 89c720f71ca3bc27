"""What a build records about transfer: whether it ran, with which model, where, and the limits of its gate.

Does not cover: the tries of each photo (table `transfers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TransferRecord:
    """Part of `build.json`."""

    use: str
    """As in the spec: "off", "auto" or "required"."""
    ran: bool
    reason: str = ""
    """Why it did not run."""
    model: str | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    """What they are used for -> SHA-256."""
    licence: str = ""
    source: str = ""
    device: str = ""
    """Class of the device."""
    dtype: str = ""
    batch: int = 0
    """Photos per network call, as planned at first."""
    smallest_batch: int = 0
    """What every call of the build held: memory ran out where it is smaller than planned; 0: no call was made."""
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Versions."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """The highest value of each score of the gate."""
    limits_source: str = ""
    limits_samples: int = 0
    """Round trips that the limits were calibrated on; 0 for defaults."""
    tried: int = 0
    """Photos that were tried."""
    kept: int = 0
    """Photos whose changed picture is in the dataset; the others are the camera's."""

    def sentence(self) -> str:
        """For people: the first line of the report and the last of a build."""
        if self.use == "off":
            return "Transfer: off; all photos are the camera's."
        if not self.ran:
            return f"Transfer: did not run ({self.reason}); all photos are the camera's."
        gate = f"calibrated on {self.limits_samples} photos" if self.limits_samples else self.limits_source
        return (
            f"Transfer: ran with {self.model} ({self.device}, {self.dtype}). {self.kept} of {self.tried} photos are "
            f"changed; the other {self.tried - self.kept} are the camera's, because labels would not have held or the "
            f"model gave no picture (limits: {gate}).{self._memory()}"
        )

    def _memory(self) -> str:
        if not 0 < self.smallest_batch < self.batch:
            return ""
        return (
            f" Memory ran out: every call held {self.smallest_batch} photos instead of {self.batch}; "
            f"say --batch {self.smallest_batch} next time."
        )
