"use strict";
// The circuit runs again in this browser: a weight, all parts, or the supply changed in the deck, in ngspice.
board.again = (() => {
  const plan = board.read("again");
  if (!plan) return null;
  const { elements } = board.links, waves = board.waves;
  const place = Object.fromEntries(["weight", "factor", "scatter", "draw", "supply", "run", "stop", "reset", "status"].map((id) => [id, document.getElementById(`again-${id}`)]));
  const lines = board.read("deck").lines;
  const values = new Map(plan.parts.map(([line, value]) => [line, value]));
  const OPEN = 1e15; // ohms: a weight of 0
  let worker = null, runs = 0, begun = 0, timer = 0;

  // mulberry32, of Tommy Ettinger: a seed gives the same parts in every browser.
  const numbers = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  const changes = () => ({
    element: plan.weights[place.weight.selectedIndex],
    factor: Number(place.factor.value),
    scatter: Number(place.scatter.value) / 100,
    seed: Number(place.draw.value),
    supply: Number(place.supply.value) / 100,
  });

  const word = (line, number, value) => {
    const words = line.split(" ");
    words[number] = String(value);
    return words.join(" ");
  };

  const changed = ({ element, factor, scatter, seed, supply }, title) => {
    const deck = lines.slice(), random = numbers(seed);
    deck[0] = `* ${title}`;
    const own = new Set(element === undefined ? [] : elements[element].lines);
    for (const [line, value] of values) {
      let next = value * (1 + scatter * (2 * random() - 1));
      if (own.has(line)) next = factor > 0 ? next / factor : OPEN;
      if (next !== value) deck[line - 1] = word(deck[line - 1], 3, next);
    }
    for (const [line, volts] of plan.rails) if (supply !== 1) deck[line - 1] = word(deck[line - 1], 4, volts * supply);
    return deck.join("\n") + "\n";
  };

  // Cubic between points, with the slope of a parabola through each and its neighbours.
  const onGrid = (times, wave) => {
    const n = times.length, slopes = new Float64Array(n), step = (k) => (wave[k + 1] - wave[k]) / (times[k + 1] - times[k]);
    for (let k = 1; k < n - 1; k++) {
      const before = times[k] - times[k - 1], after = times[k + 1] - times[k];
      slopes[k] = (step(k - 1) * after + step(k) * before) / (before + after);
    }
    slopes[0] = n > 2 ? 2 * step(0) - slopes[1] : step(0);
    slopes[n - 1] = n > 2 ? 2 * step(n - 2) - slopes[n - 2] : step(n - 2);
    let k = 0;
    return waves.times.map((t) => {
      while (k < n - 2 && times[k + 1] < t) k++;
      const h = times[k + 1] - times[k], s = (t - times[k]) / h, r = 1 - s;
      return r * r * (1 + 2 * s) * wave[k] + s * s * (3 - 2 * s) * wave[k + 1] + h * s * r * (r * slopes[k] - s * slopes[k + 1]);
    });
  };

  const probes = (found, wanted, starts) => {
    const column = (name) => found.values[found.names.indexOf(name)];
    const own = column("time");
    return wanted.map(([node, scale], k) => {
      const wave = column(`v(${node})`).map((volts) => scale * volts);
      const started = own[0] > 0; // ngspice gives no point at 0; a state begins where the deck puts it
      const first = starts ? starts[k] : wave[0];
      return onGrid(started ? [0, ...own] : own, started ? [first, ...wave] : wave);
    });
  };

  const say = (text, bad) => {
    place.status.textContent = text;
    place.status.classList.toggle("bad", Boolean(bad));
  };
  const busy = (running) => {
    place.run.disabled = running;
    place.stop.disabled = !running;
    clearInterval(timer);
    begun = performance.now();
    if (running) timer = setInterval(() => say(`ngspice runs in this browser, ${((performance.now() - begun) / 1000).toFixed(0)} s ...`), 500);
  };
  const stop = (text) => {
    if (worker) worker.terminate();
    worker = null;
    busy(false);
    say(text || "stopped");
  };

  const start = async () => {
    if (worker) return;
    const pieces = [await board.unpack(board.read("engine-script").packed), "\n", board.read("engine-worker").code];
    const address = URL.createObjectURL(new Blob(pieces, { type: "text/javascript" }));
    worker = new Worker(address);
    worker.addEventListener("error", (event) => stop(`the engine does not start: ${event.message || "this browser refuses it"}`));
    worker.postMessage({ binary: await board.unpack(board.read("engine-binary").packed) });
  };

  const run = async () => {
    busy(true);
    say("the engine starts ...");
    board.again.last = null;
    const what = changes(), title = `run ${++runs} of this page`;
    try {
      await start();
      const deck = changed(what, title);
      const found = await new Promise((resolve) => {
        worker.onmessage = (event) => resolve(event.data);
        worker.postMessage({ deck, title, stop: plan.stop });
      });
      const seconds = (performance.now() - begun) / 1000;
      busy(false);
      if (found.error) throw new Error(found.error);
      show(what, deck, { state: probes(found, plan.states, plan.starts), output: probes(found, plan.outputs, null) }, seconds);
    } catch (error) {
      busy(false);
      say(String(error.message || error), true);
      board.again.failed = true;
    }
  };

  const show = (what, deck, found, seconds) => {
    const states = board.nrmse(waves.wave.state, found.state, false), outputs = board.nrmse(waves.wave.output, found.output, true);
    const spans = board.ranges(waves.wave.state, false), last = waves.points - 1;
    const apart = Math.max(...found.state.map((wave, k) => Math.abs(wave[last] - waves.wave.state[k][last]) / spans[k]));
    board.again.last = { what, deck, found, states: states.value, outputs: outputs.value };
    board.draw.again(found);
    const short = (value) => (value < 0.01 ? value.toExponential(1) : value.toPrecision(2));
    say(`The re-run (red) against the stored waveform: NRMSE ${short(states.value)} of states (worst: neuron ${waves.labels[states.worst]}), ` +
      `${short(outputs.value)} of outputs (worst: neuron ${waves.labels[outputs.worst]}); ends ${apart <= 0.5 ? "in the same state" : "in another state"}, ` +
      `a state at most ${(100 * apart).toFixed(apart < 0.1 ? 2 : 0)}% of its range away. ngspice took ${seconds.toFixed(1)} s here.`);
  };

  const tell = () => {
    const { element, factor, scatter, supply } = changes();
    const chosen = element === undefined ? null : elements[element];
    const label = (id, text) => { document.getElementById(`again-${id}-said`).textContent = text; };
    const ohms = chosen ? chosen.lines.map((line, k) => `${chosen.devices[k]} = ${factor > 0 ? Number((values.get(line) / factor).toPrecision(4)).toLocaleString("en") : "open,"} Ohm`).join(", ") : "";
    label("factor", `x ${factor.toFixed(2)}${chosen ? `: ${ohms}` : ""}`);
    label("scatter", scatter ? `every resistor and capacitor within ±${(100 * scatter).toFixed(1)}%, uniform` : "exact parts");
    label("supply", `${(100 * supply).toFixed(0)}%: ${plan.rails.map(([, volts]) => `${(volts * supply).toPrecision(4)} V`).join(", ")}`);
  };
  plan.weights.forEach((k) => place.weight.append(new Option(elements[k].said.split(";")[0])));
  for (const id of ["weight", "factor", "scatter", "draw", "supply"]) place[id].addEventListener("input", tell);
  place.run.addEventListener("click", run);
  place.stop.addEventListener("click", () => stop());
  place.reset.addEventListener("click", () => {
    Object.assign(place.factor, { value: 1 });
    Object.assign(place.scatter, { value: 0 });
    Object.assign(place.supply, { value: 100 });
    board.draw.again(null);
    say("");
    tell();
  });
  tell();
  return { run, changes, last: null, failed: false, choose: (element) => {
    const k = plan.weights.indexOf(element);
    if (k >= 0) { place.weight.selectedIndex = k; tell(); }
  } };
})();
