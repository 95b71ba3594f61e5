// The last hour as curves: uPlot comes once the page stands, and draws what the table below has.
"use strict";

(() => {
  const HEIGHT = 142;
  const source = document.currentScript.dataset.plot;
  const places = [...document.querySelectorAll("[data-series]")];
  if (!places.length) return;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const pad = (number) => String(number).padStart(2, "0");
  // All times are those of Viet Nam, wherever the browser is.
  const local = (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "Asia/Ho_Chi_Minh");
  const LINES = {
    1: { stroke: "--brand", width: 2, scale: "y" },
    2: { stroke: "--green", width: 2, dash: [8, 4], scale: "y" },
    3: { stroke: "--amber", width: 2, dash: [2, 4], scale: "share" },
  };
  const plots = new Map();

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const wanted = (place) => place.dataset.series.split(",").map(Number);

  function all() {
    const table = document.querySelector("[data-curve]");
    if (!table) return null;
    const drawn = JSON.parse(table.dataset.curve);
    return [drawn.columns[0].map((_, minute) => drawn.from + 60 * minute), ...drawn.columns];
  }

  const data = (place, columns) => [columns[0], ...wanted(place).map((series) => columns[series])];
  const axis = (more) => ({ stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, ...more });
  const clock = (_, moments) => moments.map((seconds) => {
    const at = local(seconds);
    return `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  });

  function draw(place, columns) {
    const lines = wanted(place).map((series) => LINES[series]);
    const axes = [axis({ values: clock, size: 28, space: 64 }), axis({ size: 48 })];
    const scales = { y: { range: (_, least, most) => [0, Math.max(1, most)] } };
    if (lines.some((line) => line.scale === "share")) {
      scales.share = { range: () => [0, 100] };
      axes.push(axis({ scale: "share", side: 1, size: 48, grid: { show: false }, values: (_, values) => values.map((value) => `${value}%`) }));
    }
    plots.get(place)?.destroy();
    plots.set(place, new window.uPlot({
      width: place.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      tzDate: local,
      scales,
      axes,
      series: [{}, ...lines.map((line) => ({ ...line, stroke: colour(line.stroke), points: { show: false } }))],
    }, data(place, columns), place));
  }

  function show(anew) {
    const columns = all();
    if (!columns || !window.uPlot) return;
    places.forEach((place) => {
      if (anew || !plots.has(place)) draw(place, columns);
      else plots.get(place).setData(data(place, columns));
    });
  }

  function begin() {
    show(true);
    dark.addEventListener("change", () => show(true));
    new ResizeObserver(() => plots.forEach((plot, place) => plot.setSize({ width: place.clientWidth, height: HEIGHT }))).observe(places[0]);
    document.addEventListener("htmx:sseMessage", (event) => {
      if (event.target.querySelector("[data-curve]")) show(false);
    });
  }

  window.addEventListener("load", () => {
    const script = document.createElement("script");
    script.src = source;
    script.onload = begin;
    document.head.append(script);
  });
})();
