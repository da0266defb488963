#include "bench/report/page_assets.hpp"

namespace scrollgate::bench {

const std::string_view page_style = R"css(
:root { color-scheme: light dark;
  --ground: #f6f7f9; --sheet: #fff; --ink: #1c2430; --faint: #667085; --rule: #e3e7ee;
  --band: #1c243018; --moment: #1c2430; --warn-ground: #fee4e2; --warn: #b42318;
  --blue: #3b6fd4; --orange: #d97c1a; --red: #cc3d45; --green: #3a9a6b; --violet: #7a5cc9;
  --teal: #1f8f9f; --pink: #c2558f; --olive: #8a8b2c; --grey: #98a2b3; --dark: #475467; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #10141b; --sheet: #181e28; --ink: #e6eaf1; --faint: #97a3b6; --rule: #2a3342;
  --band: #e6eaf120; --moment: #e6eaf1; --warn-ground: #45161a; --warn: #ffb4ab;
  --blue: #7aa5f5; --orange: #f0a355; --red: #f0716f; --green: #57b98a; --violet: #a890ee;
  --teal: #56bccb; --pink: #de86b4; --olive: #bcbf60; --grey: #7f8ba0; --dark: #c3cbd9; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.45;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 40px; }
h1 { font-size: 22px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 0; display: inline; }
header p { margin: 4px 0 0; color: var(--faint); overflow-wrap: anywhere; }
.about { display: inline; margin: 0 0 0 10px; color: var(--faint); font-size: 13px; }
section { background: var(--sheet); border: 1px solid var(--rule); border-radius: 10px;
  padding: 16px 18px; margin-top: 16px; }
.mark { background: var(--warn-ground); color: var(--warn); border: 2px solid var(--warn);
  font-weight: 600; }
.mark p { margin: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr));
  gap: 0 16px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 12px;
  margin-top: 16px; }
.card { background: var(--sheet); border: 1px solid var(--rule); border-radius: 10px;
  padding: 12px 16px; }
.card b { display: block; font-size: 22px; font-weight: 650; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.card span { color: var(--faint); font-size: 13px; }
.card.bad b { color: var(--red); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 8px 0 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 6px 0 4px; font-size: 13px; }
.legend span { overflow-wrap: anywhere; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px;
  background: currentColor; opacity: .85; margin-right: 6px; vertical-align: -1px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin-top: 8px; font-variant-numeric: tabular-nums;
  font-size: 14px; }
table.wide { width: 100%; }
th, td { padding: 4px 12px; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { color: var(--faint); font-weight: 600; border-bottom: 1px solid var(--rule); }
tr.first td { border-top: 1px solid var(--rule); }
.reading { color: var(--faint); font-size: 13px; margin: 8px 0 0; }
footer { color: var(--faint); font-size: 13px; margin-top: 18px; overflow-wrap: anywhere; }
code { font: 13px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
svg.chart { display: block; width: 100%; min-width: 640px; height: auto; touch-action: pan-y; }
svg.chart:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
.grid { stroke: var(--rule); fill: none; } .frame { stroke: var(--faint); fill: none; }
.tick { fill: var(--faint); font-size: 12px; }
.line { stroke: currentColor; fill: none; stroke-width: 1.8; stroke-linejoin: round;
  stroke-linecap: round; }
.bars { fill: currentColor; fill-opacity: .72; shape-rendering: crispEdges; }
.band { fill: var(--band); } .hit { fill: transparent; }
.moment { stroke: var(--moment); stroke-dasharray: 4 3; fill: none; }
.note { fill: var(--moment); font-size: 12px; font-weight: 600; paint-order: stroke;
  stroke: var(--sheet); stroke-width: 4px; }
.cross { stroke: var(--ink); opacity: .55; visibility: hidden; }
.p50, .all { color: var(--blue); } .p99 { color: var(--orange); } .max { color: var(--red); }
.line.max { stroke-width: .9; }
.line.wanted { stroke-dasharray: 5 4; stroke-width: 1.4; } .wanted { color: var(--ink); }
.raw { color: var(--grey); } .c-none { color: var(--dark); } .c-hit { color: var(--green); }
.c-stale { color: var(--olive); } .c-miss { color: var(--orange); }
.c-bypass { color: var(--pink); }
.s0 { color: var(--dark); } .s1 { color: var(--grey); } .s2 { color: var(--green); }
.s3 { color: var(--blue); } .s4 { color: var(--orange); } .s5 { color: var(--red); }
.g0 { color: var(--blue); } .g1 { color: var(--teal); } .g2 { color: var(--violet); }
.g3 { color: var(--olive); } .g4 { color: var(--pink); } .g5 { color: var(--orange); }
.g6 { color: var(--green); } .g7 { color: var(--dark); } .rest { color: var(--grey); }
#tip { position: fixed; pointer-events: none; visibility: hidden; white-space: pre; z-index: 1;
  background: var(--ink); color: var(--sheet); padding: 6px 10px; border-radius: 6px;
  font-size: 13px; line-height: 1.4; max-width: 90vw; overflow: hidden; }
@media (max-width: 720px) { main { padding: 18px 12px 28px; } section { padding: 14px 12px; }
  .tick, .note { font-size: 16px; } th, td { padding: 4px 8px; } }
@media print { #tip, .cross { display: none; } section { break-inside: avoid; } }
)css";

const std::string_view page_script = R"js(
(function () {
  'use strict';
  var tip = document.getElementById('tip');
  var charts = Array.from(document.querySelectorAll('svg.chart'));

  function hide() {
    tip.style.visibility = 'hidden';
    charts.forEach(function (svg) {
      svg.querySelector('.cross').style.visibility = 'hidden';
    });
  }

  function show(svg, hit, x, y) {
    var middle = Number(hit.getAttribute('x')) + Number(hit.getAttribute('width')) / 2;
    charts.forEach(function (other) {
      var cross = other.querySelector('.cross');
      var together = other.dataset.kind === svg.dataset.kind;
      cross.setAttribute('transform', 'translate(' + middle + ' 0)');
      cross.style.visibility = together ? 'visible' : 'hidden';
    });
    tip.textContent = hit.dataset.tip;
    var left = x + 16;
    if (left + tip.offsetWidth > window.innerWidth - 8) left = x - 16 - tip.offsetWidth;
    var top = Math.min(y + 16, window.innerHeight - tip.offsetHeight - 8);
    tip.style.left = Math.max(8, left) + 'px';
    tip.style.top = Math.max(8, top) + 'px';
    tip.style.visibility = 'visible';
  }

  charts.forEach(function (svg) {
    var hits = Array.from(svg.querySelectorAll('.hit'));
    var chosen = -1;
    svg.addEventListener('pointermove', function (event) {
      var at = hits.indexOf(event.target);
      if (at < 0) return hide();
      chosen = at;
      show(svg, hits[at], event.clientX, event.clientY);
    });
    svg.addEventListener('pointerleave', hide);
    svg.addEventListener('blur', hide);
    svg.addEventListener('keydown', function (event) {
      var step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === 'Escape') hide();
      if (!step || hits.length === 0) return;
      event.preventDefault();
      chosen = Math.max(0, Math.min(hits.length - 1, chosen + step));
      var box = hits[chosen].getBoundingClientRect();
      show(svg, hits[chosen], box.x + box.width / 2, box.y + box.height / 3);
    });
  });
  document.documentElement.dataset.ready = String(charts.length);
})();
)js";

}  // namespace scrollgate::bench
