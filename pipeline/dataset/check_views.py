"""Checks that need pixels: light adds up, masks agree with the instance layer, photos have the size they claim.

Covers: the invariants of docs/data-contract.md on a finished dataset. Does not cover: geometry against the CAD mesh;
that is tested on rendered scenes, where the mesh is at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline import masks
from pipeline.bundle import PATH_TERMS, load_bundle
from pipeline.dataset.check_cast_light import check_cast_light
from pipeline.dataset.check_glass import check_glass
from pipeline.dataset.problems import Findings
from pipeline.dataset.reader import Dataset, Row
from pipeline.errors import DamageFound, InputError
from pipeline.layers import (
    DARK_SHARE,
    KEPT_BITS,
    LIGHT_FILE,
    NOISY_BITS,
    REC709_LUMINANCE,
    Layers,
    read_light,
    rounding_error,
    total,
)

SUM_TOLERANCE: Final = 1e-4
"""Largest relative error of a sum of layers as they were rendered; what they were rounded to comes on top in files."""
_SMALLEST: Final = 2.0**-24
"""Step of the smallest half floats, which rounding cannot tell apart."""
OUTSIDE_SHARE: Final = 0.01
"""Share of a visible mask that may lie outside the full one: rays that graze a silhouette."""


def check_view(dataset: Dataset, view: Row, findings: Findings) -> None:
    """Check the layers of one view and the rows of its instances, reflections and defects."""
    findings.count("views")
    where = f"view {view['view_id']}"
    guarded(findings, where, lambda: _check_light(dataset, view, findings, where))
    if dataset.has_file(view, "instance_path"):
        guarded(findings, where, lambda: _check_instances(dataset, view, findings))
        guarded(findings, where, lambda: check_cast_light(dataset, view, findings))
    else:
        findings.count("views without exact layers, which are not kept")


def check_photo(dataset: Dataset, photo: Row, findings: Findings) -> None:
    """Check that a photo can be decoded, to the size in its row, and that its highlights' masks fit it."""
    findings.count("photos")
    where = f"photo {photo['photo_id']}"

    def check() -> None:
        shape = dataset.image(photo["photo_id"]).shape
        expected = (photo["height"], photo["width"], 3)
        findings.expect(shape == expected, "image size", where, expected, shape)
        for highlight in dataset.highlights(photo["photo_id"]):
            place = f"{where}, highlight {highlight['highlight_id']}"
            mask = _check_area(place, highlight, expected[:2], findings)
            box = None if mask is None else masks.box_of(mask)
            findings.expect(box is None or list(box) == highlight["bbox"], "bbox", place, box, highlight["bbox"])
        check_glass(dataset, photo, findings)

    guarded(findings, where, check)


def guarded(findings: Findings, where: str, check: Callable[[], None]) -> None:
    """Run *check*; a file or mask that cannot be read becomes a problem instead of ending the whole verification."""
    try:
        check()
    except (OSError, DamageFound, InputError, KeyError, ValueError) as error:
        findings.expect(False, "contents", where, "files and masks that can be read", f"{error}")


def _check_light(dataset: Dataset, view: Row, findings: Findings, where: str) -> None:
    _check_recorded_sums(dataset, view, findings, where)
    if not dataset.has_file(view, "layers_path"):
        findings.count("views without radiance, which is not kept")
        return
    layers = dataset.layers(view["view_id"])
    shape = (view["height"], view["width"], 3)
    found = sorted({values.shape for values in layers.values()})
    if not findings.expect(found == [shape], "layer size", where, shape, found):
        return
    missing = [term for term in PATH_TERMS if term not in layers]
    if findings.expect(not missing, "light-path terms", where, "every term", f"none of {missing}"):
        _check_stored_sums(dataset, view, layers, findings, where)


def _check_recorded_sums(dataset: Dataset, view: Row, findings: Findings, where: str) -> None:
    """What the render measured before it rounded: groups and terms add up to Blender's own sum."""
    if not findings.expect(view["bundle_path"] is not None, "bundle", where, "a bundle.json", "none"):
        return
    sums = {entry.view_id: entry for entry in load_bundle((dataset.root / view["bundle_path"]).parent).light_sums}
    entry = sums.get(view["view_id"])
    if not findings.expect(entry is not None, "light sums", where, "an entry in bundle.json", "none") or entry is None:
        return
    for what, error in (("sum of light groups", entry.groups), ("sum of light-path terms", entry.terms)):
        limit = f"the rendered image within {SUM_TOLERANCE:g}"
        findings.expect(error <= SUM_TOLERANCE, what, where, limit, f"a relative error of {error:.3g}")


def _check_stored_sums(dataset: Dataset, view: Row, layers: Layers, findings: Findings, where: str) -> None:
    """Groups, terms and luminances as stored agree, but for what each of them was rounded by."""
    groups = [name for name in layers if name.startswith("group.")]
    by_group, by_term = layers["noisy"], total(layers, PATH_TERMS)
    bits = KEPT_BITS if not any(name.startswith("denoised.") for name in layers) else NOISY_BITS
    slack = (
        rounding_error(bits) * by_group
        + rounding_error(NOISY_BITS) * by_term
        + SUM_TOLERANCE * (by_group + DARK_SHARE * by_group.mean())
        + _SMALLEST * 2 ** (10 - NOISY_BITS) * (len(groups) + len(PATH_TERMS))
    )
    _expect_within(by_group, by_term, slack, "sum of light groups and of terms", findings, where)
    luminances = read_light((dataset.root / view["layers_path"]).parent)[1]
    stored = {"noisy": by_term, "glossy_direct": layers["glossy_direct"]}
    for name, radiance in stored.items():
        if findings.expect(name in luminances, "luminance", where, f"{name} in {LIGHT_FILE}", "none"):
            bound = 2 * (slack @ REC709_LUMINANCE)
            what = f"luminance of {name}"
            _expect_within(luminances[name], radiance @ REC709_LUMINANCE, bound, what, findings, where)


def _expect_within(
    a: NDArray[np.float32], b: NDArray[np.float32], slack: NDArray[Any], what: str, findings: Findings, where: str
) -> None:
    """Expect |a - b| <= slack everywhere; what is not finite never is."""
    ratio = np.abs(a.astype(np.float64) - b) / slack
    worst = float(np.max(np.where(np.isfinite(ratio), ratio, np.inf)))
    findings.expect(worst <= 1.0, what, where, "agreement to their rounding", f"a difference {worst:.3g} times that")


def _check_instances(dataset: Dataset, view: Row, findings: Findings) -> None:
    layer_ids = dataset.instance_ids(view["view_id"])
    rows = {row["instance_id"]: row for row in dataset.instances(view["view_id"])}
    where = f"view {view['view_id']}"
    strangers = sorted(set(np.unique(layer_ids).tolist()) - {0} - set(rows))
    findings.expect(not strangers, "instance layer", where, "ids of the instances table", strangers)
    for instance_id, row in rows.items():
        _check_instance(f"{where}, instance {instance_id}", row, layer_ids == instance_id, findings)
    for row in dataset.reflections(view["view_id"]):
        place = f"{where}, instance {row['instance_id']} shows {row['reflected_kind']} {row['reflected_id']}"
        mask = _check_area(place, row, layer_ids.shape, findings)
        if mask is not None:
            inside = not (mask & (layer_ids != row["instance_id"])).any()
            findings.expect(inside, "reflection mask", place, "pixels of that instance only", "pixels beyond it")
        findings.expect(0.0 <= row["share"] <= 1.0, "share", place, "0 to 1", row["share"])
    for row in dataset.mirror_images(view["view_id"]):
        place = f"{where}, mirror image {row['mirror_image_id']}"
        mask = _check_area(place, row, layer_ids.shape, findings)
        if mask is not None:
            apart = not (mask & (layer_ids == row["instance_id"])).any()
            findings.expect(apart, "mirror image mask", place, "pixels beyond the part itself", "pixels on it")
            findings.expect(tuple(row["bbox"]) == masks.box_of(mask), "bbox", place, masks.box_of(mask), row["bbox"])
    for row in dataset.defects(view["view_id"]):
        place = f"{where}, instance {row['instance_id']}, defect {row['defect_id']} ({row['kind']})"
        findings.expect(view["defects_shown"] is not False, "defects", place, "none in a defect-free twin", "one")
        mask = _check_area(place, row, layer_ids.shape, findings)
        if mask is not None:
            inside = not (mask & (layer_ids != row["instance_id"])).any()
            findings.expect(inside, "defect mask", place, "pixels of that instance only", "pixels beyond it")


def _check_instance(where: str, row: Row, drawn: NDArray[np.bool_], findings: Findings) -> None:
    seen = int(np.count_nonzero(drawn))
    findings.expect(row["px_visible"] == seen, "px_visible", where, f"{seen}, as in the layer", row["px_visible"])
    share = row["visible_fraction"]
    findings.expect(0.0 <= share <= 1.0, "visible_fraction", where, "0 to 1", share)
    expected = row["px_visible"] / row["px_full"] if row["px_full"] else 0.0
    findings.expect(
        abs(share - expected) < 1e-9, "visible_fraction", where, f"px_visible / px_full = {expected}", share
    )
    visible, full = masks.decode(row["mask_rle"]), masks.decode(row["mask_full_rle"])
    if not findings.expect(visible.shape == full.shape == drawn.shape, "mask size", where, drawn.shape, visible.shape):
        return
    wrong = int(np.count_nonzero(visible != drawn))
    findings.expect(wrong == 0, "mask_rle", where, "the pixels of the instance layer", f"{wrong} that differ")
    outside = int(np.count_nonzero(visible & ~full))
    holds = outside <= OUTSIDE_SHARE * max(seen, 1)
    findings.expect(holds, "mask_full_rle", where, f"{seen} visible pixels within it", f"{outside} outside")
    box = masks.box_of(visible)
    same = row["bbox_visible"] == (None if box is None else list(box))
    findings.expect(same, "bbox_visible", where, box, row["bbox_visible"])


def _check_area(where: str, row: Row, shape: tuple[Any, ...], findings: Findings) -> NDArray[np.bool_] | None:
    """Compare mask_rle with area_px and the image; the mask, when it has the right shape."""
    mask = masks.decode(row["mask_rle"])
    area = int(np.count_nonzero(mask))
    findings.expect(area == row["area_px"], "area_px", where, f"{area}, as in mask_rle", row["area_px"])
    return mask if findings.expect(mask.shape == tuple(shape), "mask size", where, shape, mask.shape) else None
