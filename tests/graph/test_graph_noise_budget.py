"""The noise that photos tolerate: against EMVA 1288 by hand, and as the only part of photos in a render's key."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from support.fake_builds import FAKE_STAGES, spec_scenes, write_spec
from support.synthetic_bundle import photo

from pipeline import tables
from pipeline.errors import InputError
from pipeline.graph.noise_budget import photo_noise, tolerated_noise
from pipeline.graph.plan import catalog_of, plan_scene
from pipeline.spec.load import load_spec


@pytest.fixture
def auto(tmp_path):
    path = write_spec(tmp_path / "spec")
    path.write_text(path.read_text().replace("samples = 8", 'samples = "auto"\nsamples_range = [8, 64]'))
    return path


@pytest.mark.parametrize("sensor", ["dslr_fullframe", "phone"])
def test_noise_is_that_of_counted_electrons(sensor: str) -> None:
    row = tables.table("sensors")[sensor]
    mean = 0.18 / math.sqrt(2) * 2**0.5 * row["full_well_e"]
    rng = np.random.default_rng(3)
    electrons = rng.poisson(mean * (1 + row["prnu"] * rng.standard_normal(400_000)))
    counted = electrons + row["read_noise_e"] * rng.standard_normal(electrons.size)
    assert photo_noise(photo(sensor=sensor, exposure_ev=0.5)) == pytest.approx(counted.std() / counted.mean(), rel=0.01)


def test_the_cleanest_photo_counts_and_the_number_is_rounded_down() -> None:
    photos = [photo(sensor=sensor, exposure_ev=ev) for sensor in ("phone", "dslr_fullframe") for ev in (-1.0, 1.0)]
    least = photo_noise(photos[-1])
    assert least == min(map(photo_noise, photos))
    assert least / 2**0.25 < tolerated_noise(photos) <= least
    with pytest.raises(InputError, match="sensors"):
        tolerated_noise([photo(sensor="none")])


def test_samples_by_hand_leave_photos_out_of_the_render(tmp_path) -> None:
    spec = write_spec(tmp_path / "spec")
    catalog = catalog_of(load_spec(spec), FAKE_STAGES)
    (scene,) = spec_scenes(spec, 1)
    assert scene.render.budget is None
    brighter = replace(scene, photos=tuple(replace(p, exposure_ev=3.0) for p in scene.photos))
    assert plan_scene(scene, catalog).keys["render"] == plan_scene(brighter, catalog).keys["render"]


def test_under_auto_only_the_tolerated_noise_enters_the_render(auto) -> None:
    catalog = catalog_of(load_spec(auto), FAKE_STAGES)
    (scene,) = spec_scenes(auto, 1)
    assert (scene.render.samples, scene.render.budget.least, scene.render.budget.most) == (64, 8, 64)
    plan = plan_scene(scene, catalog)
    budget = next(action for action in plan.actions if action.stage == "render").fields["render"]["budget"]
    assert budget["tolerated"] == tolerated_noise(scene.photos)

    def key(**changes):
        photos = tuple(replace(p, **changes) for p in scene.photos)
        return plan_scene(replace(scene, photos=photos), catalog).keys["render"]

    assert key(white_balance_k=3100.0, tone="srgb", seed=1) == plan.keys["render"]
    assert key(exposure_ev=3.0) != plan.keys["render"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('samples = "much"', "render.samples: expected a whole number"),
        ("samples = 0", "render.samples: expected 1 or more; found 0"),
        ('samples = "auto"\nsamples_range = [64, 8]', "render.samples_range: expected two whole numbers"),
    ],
)
def test_wrong_samples_are_named(auto, line: str, message: str) -> None:
    text = auto.read_text().replace('samples = "auto"\nsamples_range = [8, 64]', line)
    auto.write_text(text)
    with pytest.raises(InputError, match=message):
        load_spec(auto)
