"""The table of the layers that are made of a view's reflections after it was rendered.

Does not cover: what is counted and listed of them (`reflections` and `highlights` in `tables`). docs/truth.md defines
the layers.
"""

from __future__ import annotations

from typing import Final

from pipeline.dataset.columns import TEXT, Column, TableSchema

REFLECTION_LAYERS: Final = TableSchema(
    "reflection_layers",
    "the reflection layers of a view",
    ("view_id",),
    (
        Column("view_id", TEXT, "The view", required=True),
        Column("scene_id", TEXT, "Its scene"),
        Column(
            "decomposition_path",
            TEXT,
            "Highlight, inter-reflection, surroundings, diffuse, transmission and emission of each light group (EXR); "
            "null in builds without it",
        ),
    ),
)
