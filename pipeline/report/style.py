"""The report's style sheet and its one small script.

Both are printed into the page; the page's content policy allows no other script, by hash. Does not cover: content.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

STYLE: Final = """
:root { color-scheme: light dark;
  --paper: #faf9f6; --card: #ffffff; --ink: #1d1c1a; --soft: #6d6a64; --line: #e3e0d9; --accent: #a86a12;
  --bar: #b9812f; --code: #f1efe9; --bad: #a3341f; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #121314; --card: #1a1b1d; --ink: #e9e6df; --soft: #9a968d; --line: #2c2d30; --accent: #e2a852;
  --bar: #b98a45; --code: #202124; --bad: #ef8d75; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main, header, footer { max-width: 1320px; margin: 0 auto; padding: 0 clamp(16px, 3vw, 40px); }
header { padding-top: clamp(28px, 6vw, 72px); }
h1 { font-size: clamp(2rem, 5vw, 3.4rem); line-height: 1.05; letter-spacing: -0.025em; font-weight: 650; margin: 0; }
h2 { font-size: 1.45rem; letter-spacing: -0.015em; font-weight: 620; margin: 72px 0 4px; }
h3 { font-size: 1rem; font-weight: 600; margin: 32px 0 12px; }
p { margin: 0 0 12px; max-width: 70ch; }
.over { color: var(--accent); font-size: .8rem; font-weight: 600; letter-spacing: .09em; text-transform: uppercase;
  margin: 0 0 10px; }
.soft, figcaption, .note { color: var(--soft); }
code, pre, .id { font-family: ui-monospace, "SF Mono", SFMono-Regular, Menlo, Consolas, monospace; font-size: .86em; }
pre { background: var(--code); border-radius: 8px; padding: 12px 14px; overflow-x: auto; line-height: 1.45;
  margin: 8px 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(110px, 1fr)); gap: 1px; margin: 32px 0 24px;
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.figures div { box-shadow: 0 0 0 1px var(--line); padding: 14px 18px; }
.figures b { display: block; font-size: 1.7rem; font-weight: 620; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; line-height: 1.2; }
.figures span { color: var(--soft); font-size: .84rem; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0 0 16px; font-size: .92rem; }
dl.facts dt { color: var(--soft); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
.sheet { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(46%, 250px), 1fr)); gap: 8px;
  margin-top: 20px; }
.sheet figure, .panels figure { margin: 0; min-width: 0; }
.shot { position: relative; display: block; width: 100%; padding: 0; border: 0; background: #18191c; cursor: zoom-in;
  border-radius: 6px; overflow: hidden; line-height: 0; }
.shot:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.shot img { width: 100%; height: auto; display: block; }
.sheet .shot img { aspect-ratio: 4 / 3; object-fit: cover; }
.shot img.over-image { position: absolute; inset: 0; height: 100%; opacity: 0; transition: opacity .15s; }
.sheet .shot:hover img.over-image, .labelled .shot img.over-image { opacity: 1; }
figcaption { font-size: .8rem; line-height: 1.35; padding: 6px 2px 8px; }
figcaption b { color: var(--ink); font-weight: 600; }
.toggle { display: inline-flex; gap: 8px; align-items: center; font-size: .92rem; cursor: pointer; }
.toggle input { accent-color: var(--accent); width: 1.05em; height: 1.05em; }
article { margin-top: 36px; padding-top: 20px; border-top: 1px solid var(--line); }
article h3 { margin: 0; font-size: 1.05rem; }
.chips { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 4px 0 16px; font-size: .86rem; color: var(--soft); }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(46%, 270px), 1fr)); gap: 10px; }
.panels figure.large { grid-column: span 2; grid-row: span 2; }
.panels .missing { background: var(--code); border-radius: 6px; padding: 24px 14px; font-size: .82rem;
  color: var(--bad); overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 12px; margin-top: 3px; }
.legend i { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: 5px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 310px), 1fr)); gap: 14px; }
.chart { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px 12px; }
.chart h4 { margin: 0; font-size: .95rem; font-weight: 600; } .chart .note { font-size: .8rem; margin: 0 0 10px; }
svg { width: 100%; height: auto; display: block; overflow: visible; }
svg text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .end { text-anchor: end; } svg .value { fill: var(--ink); } svg .bar { fill: var(--bar); }
svg .axis { stroke: var(--line); } svg .median { stroke: var(--ink); stroke-dasharray: 3 3; opacity: .55; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; min-width: 420px; }
th, td { text-align: right; padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 500; }
.failed { border-left: 3px solid var(--bad); padding-left: 16px; margin: 20px 0; }
details { margin: 12px 0; } summary { cursor: pointer; color: var(--accent); }
footer { padding-top: 64px; padding-bottom: 64px; color: var(--soft); font-size: .86rem; }
dialog { border: 0; padding: 0; margin: auto; background: transparent; max-width: 96vw; max-height: 96vh;
  color: #e9e6df; }
dialog::backdrop { background: rgba(8, 8, 9, .92); }
dialog img { display: block; max-width: 96vw; max-height: 88vh; width: min(96vw, 117vh); height: auto;
  object-fit: contain; border-radius: 4px; }
dialog p { margin: 8px 4px 0; font-size: .86rem; max-width: none; }
@media print { .toggle, dialog { display: none; } article, .chart { break-inside: avoid; } }
"""

SCRIPT: Final = """
(function () {
  var box = document.getElementById("box"), shown = box.querySelector("img"), text = box.querySelector("p");
  var shots = Array.prototype.slice.call(document.querySelectorAll(".shot")), at = 0;
  function show(to) {
    at = (to + shots.length) % shots.length;
    var over = shots[at].querySelector(".over-image"), labels = document.getElementById("labels");
    shown.src = (over && labels && labels.checked ? over : shots[at].querySelector("img")).src;
    text.textContent = shots[at].getAttribute("data-title");
  }
  shots.forEach(function (shot, i) { shot.addEventListener("click", function () { show(i); box.showModal(); }); });
  box.addEventListener("click", function () { box.close(); });
  box.addEventListener("keydown", function (event) {
    if (event.key === "ArrowRight") { show(at + 1); }
    if (event.key === "ArrowLeft") { show(at - 1); }
  });
  var toggle = document.getElementById("labels"), sheet = document.querySelector(".sheet");
  if (toggle && sheet) {
    toggle.addEventListener("change", function () { sheet.classList.toggle("labelled", toggle.checked); });
  }
})();
"""


def content_policy() -> str:
    """Content-Security-Policy of the page: nothing is fetched, and no script runs but SCRIPT."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
