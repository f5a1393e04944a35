"use strict";
// Runs after the engine's own script, in a worker: one circuit after the other, each answer checked to be its own.
const answer = (said) => postMessage(said);
let binary = null;
// All that the engine fetches is its WebAssembly, which lies here already; there is no network.
self.fetch = async () => new Response(binary, { headers: { "Content-Type": "application/wasm" } });
// It names that by a data: address, beside a base that is none in a script of this kind.
self.URL = class extends URL {
  constructor(address, base) { super(address, String(address).startsWith("data:") ? undefined : base); }
};
// What fails while it starts, it tells nobody.
self.addEventListener("unhandledrejection", (event) => answer({ error: `the engine fails: ${event.reason}` }));
let simulation = null;
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds, null));

const run = async ({ deck, title, stop }) => {
  if (!simulation) {
    simulation = new self["EEcircuit-engine"].Simulation();
    await simulation.start();
  }
  simulation.setNetList(deck);
  const found = await Promise.race([simulation.runSim(), wait(100)]);
  const log = simulation.getInfo().trim().split("\n").filter((line) => line.trim()).slice(-6).join("; ");
  // Where a run fails, the engine answers nothing, or what the run before has left.
  if (!found || !found.header.includes(title)) throw new Error(`ngspice gives no result: ${log}`);
  const times = found.data[0].values;
  if (!(times[times.length - 1] >= stop * (1 - 1e-9))) throw new Error(`ngspice stopped at ${times[times.length - 1]} s: ${log}`);
  if (!found.data.every((one) => one.values.every(Number.isFinite))) throw new Error("ngspice gives values that are not finite");
  return { names: found.data.map((one) => one.name.toLowerCase()), values: found.data.map((one) => Float64Array.from(one.values)) };
};

onmessage = async (event) => {
  if (event.data.binary) {
    binary = event.data.binary;
    return;
  }
  try {
    answer(await run(event.data));
  } catch (error) {
    answer({ error: String(error.message || error) });
  }
};
