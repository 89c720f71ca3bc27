"""How fine the pixels of a job are on each of its materials.

Covers: a lower bound of what a pixel covers, so that relief that no view can resolve costs nothing. Does not cover: the
footprint of one shaded point, which the shader computes (`blender.groove_frame`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.arrange.arrangement import matrix
from pipeline.render.job import RenderJob


def finest_pixels(job: RenderJob, folder: Path) -> NDArray[np.float64]:
    """(materials,) metres: no pixel of any view covers less of a surface of the material, square to the view.

    The distance of the nearest point of the box around each object over the camera's fx, as the shader has it.
    Infinite for materials that no mesh below *folder* uses.
    """
    finest = np.full(len(job.materials), np.inf)
    extents = {file: _extent(folder / file) for file in {entry.mesh_file for entry in job.objects}}
    for entry in job.objects:
        slots, low, high = extents[entry.mesh_file]
        used = entry.first_material + slots
        if entry.clean_mesh_file is not None:
            used = np.concatenate([used, entry.clean_first_material + _extent(folder / entry.clean_mesh_file)[0]])
        object_from_world = np.linalg.inv(matrix(entry.world_from_object))
        for view in job.bundle.views:
            eye = np.linalg.inv(matrix(view.camera.cam_from_world))[:3, 3]
            local = object_from_world[:3, :3] @ eye + object_from_world[:3, 3]
            distance = float(np.linalg.norm(local - np.clip(local, low, high)))
            finest[used] = np.minimum(finest[used], distance / view.camera.fx)
    return finest


def _extent(mesh: Path) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Material slots that a mesh uses, and the corners of its box."""
    with np.load(mesh, allow_pickle=False) as arrays:
        vertices = arrays["vertices"]
        return np.unique(arrays["slot"]).astype(np.int64), vertices.min(axis=0), vertices.max(axis=0)
