"use strict";
// Waveforms of the page: unpacked, measured, and drawn by uPlot; zoomed by dragging or the wheel, both plots at once.
const board = {};

board.read = (id) => {
  const place = document.getElementById(`data-${id}`);
  return place ? JSON.parse(place.textContent) : null;
};

board.bytes = (base64) => Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));

board.unpack = async (base64) => {
  const stream = new Blob([board.bytes(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

board.waves = (() => {
  const found = board.read("waves");
  const columns = (base64) => {
    const numbers = new Float32Array(board.bytes(base64).buffer);
    return found.labels.map((_, k) => Array.from(numbers.subarray(k * found.points, (k + 1) * found.points)));
  };
  const times = Array.from(new Float32Array(board.bytes(found.times).buffer));
  const exponent = Math.min(0, Math.max(-12, 3 * Math.floor(Math.log10(times[times.length - 1]) / 3)));
  const waves = { ...found, times, unit: { "-12": "ps", "-9": "ns", "-6": "µs", "-3": "ms", 0: "s" }[exponent] };
  waves.shownTimes = times.map((t) => t / 10 ** exponent);
  for (const machine of ["wave", "equation", "ideal"]) {
    waves[machine] = { state: columns(found[machine].state), output: columns(found[machine].output) };
  }
  return waves;
})();

// The measures of the package: see hopfield_hw/values/measures.py.
board.ranges = (reference, sized) => {
  const spans = reference.map((wave) => Math.max(...wave) - Math.min(...wave));
  const sizes = reference.map((wave) => Math.max(...wave.map(Math.abs)));
  const largest = Math.max(...spans) || Math.max(...sizes);
  const floor = largest > 0 ? 1e-3 * largest : 1;
  return spans.map((span, k) => Math.max(span, floor, sized ? sizes[k] : 0));
};

board.nrmse = (reference, found, sized) => {
  const spans = board.ranges(reference.map((wave) => wave.slice(1)), sized);
  const each = reference.map((wave, k) => {
    let sum = 0;
    for (let p = 1; p < wave.length; p++) sum += (found[k][p] - wave[p]) ** 2;
    return Math.sqrt(sum / (wave.length - 1)) / spans[k];
  });
  const worst = each.indexOf(Math.max(...each));
  return { value: each[worst], worst };
};

board.draw = (() => {
  const waves = board.waves;
  const look = { lines: 0, quantity: "state", shown: new Set(waves.shown), equation: true, ideal: true, again: null };
  const places = ["plot-waves", "plot-deviation"].map((id) => document.getElementById(id));
  const readout = document.getElementById("readout");
  const nothing = () => waves.times.map(() => null);
  let plots = [], busy = false;
  const digits = (value) => (value === null || value === undefined ? "-" : Number(value).toPrecision(5));

  const zoom = (min, max) => plots.forEach((plot) => plot.setScale("x", { min, max }));
  const whole = () => zoom(waves.shownTimes[0], waves.shownTimes[waves.points - 1]);

  const wheel = (plot) => {
    plot.over.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return; // the page scrolls
      event.preventDefault();
      const { min, max } = plot.scales.x;
      const at = plot.posToVal(event.offsetX, "x");
      const factor = (event.deltaY || event.deltaX) < 0 ? 0.75 : 1 / 0.75;
      const first = waves.shownTimes[0], last = waves.shownTimes[waves.points - 1];
      zoom(Math.max(first, at - (at - min) * factor), Math.min(last, at + (max - at) * factor));
    }, { passive: false });
    plot.over.addEventListener("dblclick", whole);
  };

  const tell = (plot) => {
    const k = plot.cursor.idx;
    if (k === null || k === undefined) {
      readout.textContent = "";
      return;
    }
    const values = [...look.shown].sort((a, b) => a - b).slice(0, 8).map((n) => {
      const again = look.again ? ` (again ${digits(look.again[look.quantity][n][k])})` : "";
      return `${waves.labels[n]}: ${digits(waves.wave[look.quantity][n][k])} V${again}`;
    });
    readout.textContent = `t = ${digits(waves.shownTimes[k])} ${waves.unit}    ${values.join("    ")}`;
  };

  const decades = (_, axis, min, max) => {
    const found = [];
    for (let power = Math.ceil(Math.log10(min) - 1e-9); power <= Math.log10(max) + 1e-9; power++) found.push(10 ** power);
    return found;
  };

  const options = (place, height, label, series, scale) => ({
    width: place.clientWidth || 900,
    height,
    legend: { show: false },
    cursor: { drag: { x: true, y: false }, sync: { key: "time" }, points: { size: 5 } },
    scales: { x: { time: false }, y: scale },
    axes: [
      { ...(scale.distr ? { label: `time (${waves.unit})`, labelSize: 22 } : {}), grid: { stroke: "#eef1f4" }, size: 34 },
      { label, grid: { stroke: "#eef1f4" }, size: 70, labelSize: 24, ...(scale.distr ? { splits: decades, values: (_, splits) =>
        splits.map((v) => v.toExponential(0)), filter: (_, splits) => splits } : {}) },
    ],
    series,
    hooks: { setCursor: [tell], ready: [wheel], setScale: [(plot, key) => {
      if (key !== "x" || busy) return;
      busy = true;
      for (const other of plots) if (other !== plot) other.setScale("x", { min: plot.scales.x.min, max: plot.scales.x.max });
      busy = false;
    }] },
  });

  const draw = () => {
    const kept = plots.length ? { ...plots[0].scales.x } : null;
    plots.forEach((plot) => plot.destroy());
    const { quantity, again } = look;
    const chosen = [...look.shown].sort((a, b) => a - b);
    const series = [{}], data = [waves.shownTimes], off = [{}], deviations = [waves.shownTimes];
    const add = (values, style) => { series.push({ points: { show: false }, ...style }); data.push(values); };
    const spans = board.ranges(waves.equation[quantity], quantity === "output");
    let largest = waves.tolerance;
    for (const n of chosen) {
      if (look.ideal) add(waves.ideal[quantity][n], { stroke: "#888", width: 1, dash: [2, 3] });
      add(waves.wave[quantity][n], { stroke: waves.colours[n] + (again ? "70" : ""), width: again ? 2 : 2.6 });
      if (again) add(again[quantity][n], { stroke: "#cc3311", width: 1.4 });
      if (look.equation) add(waves.equation[quantity][n], { stroke: "#111", width: 1, dash: [6, 5] });
      const difference = (reference, found) => found.map((v, p) => {
        const size = Math.abs(v - reference[p]) / spans[n];
        largest = Math.max(largest, p ? size : 0);
        return size > 0 ? size : null;
      });
      off.push({ stroke: waves.colours[n], width: 1.2, points: { show: false } });
      deviations.push(difference(waves.equation[quantity][n], waves.wave[quantity][n]));
      if (again) {
        off.push({ stroke: "#cc3311", width: 1.2, points: { show: false } });
        deviations.push(difference(waves.wave[quantity][n], again[quantity][n]));
      }
    }
    if (series.length === 1) add(nothing(), {});
    off.push({ stroke: "#111", width: 1, dash: [8, 3, 2, 3], points: { show: false } });
    deviations.push(waves.times.map(() => waves.tolerance));
    const top = 10 ** Math.ceil(Math.log10(largest) + 0.1), bottom = 10 ** (Math.floor(Math.log10(waves.tolerance)) - 4);
    const logarithmic = { distr: 3, log: 10, range: () => [bottom, top] };
    plots = [
      new uPlot(options(places[0], 360, `${quantity} (V)`, series, {}), data, places[0]),
      new uPlot(options(places[1], 190, "deviation / range", off, logarithmic), deviations, places[1]),
    ];
    if (kept && kept.min !== null && kept.min !== undefined) zoom(kept.min, kept.max);
    look.lines = series.length - 1;
    document.getElementById("key-again").hidden = !again;
  };

  const chips = document.getElementById("neurons");
  waves.labels.forEach((label, n) => {
    const chip = document.createElement("button");
    chip.className = "chip";
    chip.textContent = label;
    chip.style.borderBottomColor = waves.colours[n];
    chip.setAttribute("aria-pressed", look.shown.has(n));
    chip.addEventListener("click", () => {
      look.shown.has(n) ? look.shown.delete(n) : look.shown.add(n);
      chip.setAttribute("aria-pressed", look.shown.has(n));
      draw();
    });
    chips.append(chip);
  });
  const choose = (shown) => () => {
    look.shown = new Set(shown);
    [...chips.children].forEach((chip, n) => chip.setAttribute("aria-pressed", look.shown.has(n)));
    draw();
  };
  document.getElementById("show-all").addEventListener("click", choose(waves.labels.keys()));
  document.getElementById("show-worst").addEventListener("click", choose([waves.worst]));
  document.getElementById("whole").addEventListener("click", whole);
  document.getElementById("quantity").addEventListener("change", (event) => { look.quantity = event.target.value; draw(); });
  for (const name of ["equation", "ideal"]) {
    document.getElementById(`show-${name}`).addEventListener("change", (event) => { look[name] = event.target.checked; draw(); });
  }
  window.addEventListener("resize", () => plots.forEach((plot, k) => plot.setSize({ width: places[k].clientWidth, height: k ? 190 : 360 })));
  draw();
  return { look, again: (found) => { look.again = found; draw(); } };
})();
