"""Rendering the gallery's tiles: each is a scene that goes through the real stages, and stays in the store.

Covers: planning, running what the store has not, and where each tile's photo lies. Does not cover: what is shown
(`plan`), contact sheets (`sheets`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.dataset.store import ROWS_FILE, Store, check_writable
from pipeline.gallery.plan import Tile
from pipeline.graph.build import NEEDED_BYTES, run_plans
from pipeline.graph.children import stop_children
from pipeline.graph.execute import Workplace, usable_cpus
from pipeline.graph.executor import ThreadExecutor
from pipeline.graph.keys import stages_path
from pipeline.graph.plan import PHOTOS, TRUTH, ScenePlan, catalog_of, plan_scene
from pipeline.graph.progress import make_progress
from pipeline.graph.schedule import SceneResult
from pipeline.graph.signals import stopped_by_signals
from pipeline.graph.stage import Machine
from pipeline.records import read_json
from pipeline.spec.draw import draw_scene


@dataclass(frozen=True)
class Shown:
    """A tile and what became of it."""

    tile: Tile
    photo: Path | None
    """None when a stage failed."""
    failure: str = ""


def render_tiles(
    tiles: Sequence[Tile], folder: Path, *, quiet: bool = False, stages: str | None = None
) -> tuple[Shown, ...]:
    """Make the photo of every tile, in the order of *tiles*; what is in the store below *folder* is not made again.

    A tile that fails does not stop the others. Raises InputError for a part file that cannot be read,
    EnvironmentProblem for a machine that cannot do the work, KeyboardInterrupt when stopped; what was finished stays.
    *stages* names another registry of stages than the real ones.
    """
    check_writable(folder, NEEDED_BYTES)
    store = Store(folder)
    store.clean_staging()
    registry = stages_path(stages)
    workplace = Workplace(registry, str(folder.absolute()), Machine(threads=usable_cpus()))
    progress, shown = make_progress(len(tiles), quiet)
    with stopped_by_signals(stop_children), shown:
        executor = ThreadExecutor(workplace, 1)
        results = list(run_plans(_plans(tiles, registry), store, lambda: executor, progress))
    made = {result.scene_id: result for result in results}
    return tuple(_shown(tile, made[f"{tile.spec.dataset.name}-000000"], store) for tile in tiles)


def _plans(tiles: Sequence[Tile], registry: str) -> Iterator[ScenePlan]:
    """One plan per tile, without the truth, which the gallery does not show. All tiles share the same parts."""
    for tile in tiles:
        plan = plan_scene(draw_scene(tile.spec, 0), catalog_of(tile.spec, registry))
        yield replace(plan, actions=tuple(action for action in plan.actions if action.stage != TRUTH))


def _shown(tile: Tile, result: SceneResult, store: Store) -> Shown:
    if result.failures:
        first = result.failures[0]
        return Shown(tile, None, f"{first.stage}: {first.message}")
    folder = store.folder(PHOTOS, result.keys[PHOTOS])
    return Shown(tile, folder / read_json(folder / ROWS_FILE)["photos"][0]["image_path"])
