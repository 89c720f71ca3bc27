"""The page: well-formed, self-contained, escaped, small, and true to the tables."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from pipeline.dataset.build import Build
from pipeline.report import write_report
from pipeline.report.charts import bars, histogram, number
from pipeline.report.choose import clearest, contact_photos, unlike_scenes
from pipeline.report.data import open_tables
from pipeline.report.panels import VIEW_COLUMNS, view_panels
from pipeline.report.report import LARGEST_PAGE_BYTES

VOID = {"meta", "img", "br", "input"}


class Page(HTMLParser):
    """Collects elements, checks that they nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def html(balls: Build) -> str:
    path = write_report(balls.folder.parents[1], balls.folder)
    assert path == balls.folder / "report" / "index.html"
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_page_nests_and_stays_small(html: str, page: Page) -> None:
    assert page.open == []
    assert len(html.encode()) < LARGEST_PAGE_BYTES
    names = [tag for tag, _ in page.elements]
    assert names.count("script") == 1
    assert names.count("h1") == 1


def test_nothing_is_loaded_from_elsewhere(html: str, page: Page) -> None:
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith("data:image/jpeg;base64,"), (tag, name, value)
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in html
    assert "@import" not in html
    assert not re.search(r"https?://", html)
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert "default-src 'none'" in policy


def test_the_policy_lets_exactly_the_pages_script_run(html: str, page: Page) -> None:
    import hashlib

    script = html.split("<script>")[1].removesuffix("</script></body></html>\n")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(str(a["content"]) for t, a in page.elements if t == "meta" and "http-equiv" in a)
    assert f"script-src 'sha256-{digest}'" in policy


def test_hostile_names_are_shown_and_not_run(html: str, page: Page) -> None:
    assert "<script>alert" not in html
    assert '<script>alert("part")</script>'[:18] in "".join(page.text)  # in the chart, cut like any long name
    assert "<i>bearings</i>" in "".join(page.text)
    assert not any(tag == "i" and not attributes.get("style") for tag, attributes in page.elements)
    assert "expected a <b>solid</b>, found none" in "".join(page.text)
    assert "glint scene balls.toml balls-000009 --out x" in "".join(page.text)
    assert "<img src=x>" in "".join(page.text)


def test_every_picture_is_a_jpeg_of_its_declared_size(page: Page) -> None:
    images = [attributes for tag, attributes in page.elements if tag == "img" and "src" in attributes]
    # Twelve photos with and without labels, three views with seven panels and two light groups; one of them with
    # defects and cast light.
    assert len(images) == 2 * 12 + 3 * (7 + 2) + 2
    for attributes in images:
        data = base64.b64decode(str(attributes["src"]).split(",", 1)[1])
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded.shape[:2] == (int(str(attributes["height"])), int(str(attributes["width"])))


def test_counts_seconds_and_legends_come_from_the_tables(page: Page) -> None:
    text = " ".join(page.text)
    y, x = np.mgrid[-35.5:36, -47.5:48]
    inside = x * x + y * y < 28 * 28
    nearest = np.percentile(0.5 - 0.1 * np.sqrt(1 - (x * x + y * y)[inside] / 28**2), 1)
    for wanted in ("balls-000001-v0", "bar & dome", "key_panel, 50%", f"{nearest:.3f} m", "sampling", "1.25 s", "wood"):
        assert wanted in text, wanted
    assert "1 mirror image of 1 lamp" in text


def test_same_build_same_page(balls: Build, html: str) -> None:
    assert write_report(balls.folder.parents[1], balls.folder).read_text(encoding="utf-8") == html


def test_large_page_shrinks(balls: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    root = balls.folder.parents[1]
    before = len(write_report(root, balls.folder).read_bytes())
    monkeypatch.setattr("pipeline.report.report.LARGEST_PAGE_BYTES", before - 1)
    assert len(write_report(root, balls.folder).read_bytes()) < before
    monkeypatch.undo()
    write_report(root, balls.folder)


def test_unlike_scenes_prefers_traits_not_shown() -> None:
    rows = [
        {"scene_id": f"s{i:02d}", "rig": rig, "surroundings": "hall", "arrangement": "table", "split": "train"}
        for i, rig in enumerate(["ring"] * 9 + ["dome"])
    ]
    chosen = unlike_scenes(rows, 3)
    assert {row["rig"] for row in chosen} == {"ring", "dome"}
    assert len({row["scene_id"] for row in chosen}) == 3
    assert len(unlike_scenes(rows, 99)) == 10


def test_contact_photos_cover_scenes_before_repeating_one(balls: Build) -> None:
    tables = open_tables(balls.folder.parents[1], balls.folder)
    scenes = tables.rows("scenes", ("scene_id",))
    assert [p["scene_id"] for p in contact_photos(tables, scenes, 3)] == [s["scene_id"] for s in scenes]
    six = contact_photos(tables, scenes, 6)
    assert len({p["view_id"] for p in six}) == 6
    assert len(contact_photos(tables, scenes, 100)) == 12


def test_clearest_photo_is_the_metered_one() -> None:
    rows = [
        {"photo_id": name, "exposure_ev": ev, "clipped_fraction": clipped}
        for name, ev, clipped in (("a", -1.0, 0.0), ("b", 0.2, 0.0), ("c", 0.0, 0.4))
    ]
    assert clearest(rows)["photo_id"] == "b"


def test_charts_are_well_formed_and_proportional() -> None:
    svg = ElementTree.fromstring(bars("<b>", {"a<&": 10.0, "b": 5.0}).svg)
    widths = [float(rect.attrib["width"]) for rect in svg.iter("rect")]
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.01)
    drawn = ElementTree.fromstring(histogram("x", [0.0, 1.0, 1.0, 1.0], bins=2).svg)
    heights = [float(rect.attrib["height"]) for rect in drawn.iter("rect")]
    assert heights[1] == pytest.approx(3 * heights[0], rel=0.01)
    many = bars("many", {f"n{i:02d}": float(i) for i in range(30)}, rows=5).svg
    assert "26 others" in many
    assert "nothing" in histogram("none", []).svg
    assert "nothing" in bars("none", {}).svg


def test_numbers_are_short() -> None:
    assert [number(v) for v in (0, 0.012345, 3.14159, 1234.5, 2e7, 3e-5)] == [
        "0",
        "0.0123",
        "3.14",
        "1,234",
        "2e+07",
        "3e-05",
    ]


def test_defects_have_a_panel_where_there_are_some(page: Page) -> None:
    text = " ".join(page.text)
    assert "1 of 2 defects seen" in text
    y, x = np.mgrid[-0.5:2, -47.5:48]  # the scratch covers three rows of pixels across the middle of the ball
    assert f"scratch, {np.sum(x * x + y * y < 28 * 28)} px" in text
    assert "dent, 0 px" in text


def test_cast_light_has_a_panel_where_it_was_traced(balls: Build) -> None:
    tables = open_tables(balls.folder.parents[1], balls.folder)
    first, other = (tables.rows("views", VIEW_COLUMNS, ("view_id", [f"balls-000000-v{k}"]))[0] for k in range(2))
    (panel,) = [panel for panel in view_panels(tables, first, None) if panel.title == "Cast light"]
    assert panel.note == "1 patch where it is seen"
    assert [entry.text for entry in panel.legend] == ["from instance 1, 135 px"]
    assert panel.picture is not None
    assert panel.picture[40, 90].max() > 200
    assert panel.picture[5, 5].max() < 10
    assert "Cast light" not in [panel.title for panel in view_panels(tables, other, None)]
