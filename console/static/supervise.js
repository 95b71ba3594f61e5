// The forecast as curves: drawn from the table below it, anew whenever the stream brings another.
"use strict";

(() => {
  const place = document.getElementById("curve");
  if (!place || !window.uPlot) return;
  const HEIGHT = 238;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const pad = (number) => String(number).padStart(2, "0");
  // All times are those of Viet Nam, wherever the browser is.
  const local = (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "Asia/Ho_Chi_Minh");
  const hour = (at) => `${pad(at.getHours())}:00`;
  const day = (at) => `${pad(at.getDate())}/${pad(at.getMonth() + 1)}`;
  let plot;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const data = () => JSON.parse(document.querySelector("[data-curve]").dataset.curve);

  function ticks(_, moments) {
    return moments.map((seconds) => {
      const at = local(seconds);
      return at.getHours() === 0 ? day(at) : hour(at);
    });
  }

  function axis(more) {
    return { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, ...more };
  }

  function draw() {
    if (plot) plot.destroy();
    plot = new window.uPlot({
      width: place.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      tzDate: local,
      scales: { y: { range: (_, least, most) => [0, Math.max(1, most)] } },
      axes: [
        axis({ values: ticks, size: 32, space: 56, incrs: [3600, 7200, 10800, 21600, 43200, 86400] }),
        axis({ size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }),
      ],
      series: [
        {},
        { stroke: colour("--brand"), width: 3, points: { show: false } },
        { stroke: colour("--amber"), width: 2, dash: [8, 4], points: { show: false } },
        { stroke: colour("--red"), width: 2, dash: [2, 4], points: { show: false } },
      ],
    }, data(), place);
  }

  draw();
  dark.addEventListener("change", draw);
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  document.addEventListener("htmx:sseMessage", (event) => {
    if (event.target.querySelector("[data-curve]")) plot.setData(data());
  });
})();
