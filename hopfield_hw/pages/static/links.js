"use strict";
// Weights and netlist lines, linked both ways; drawings of the sheets.
board.links = (() => {
  const { elements } = board.read("elements");
  const said = document.getElementById("origin");
  const at = (name, value) => [...document.querySelectorAll(`[data-${name}="${CSS.escape(String(value))}"]`)];
  const clear = () => document.querySelectorAll(".on").forEach((one) => one.classList.remove("on"));
  const into = (box, one) => {
    const place = document.querySelector(box);
    if (!place || !one || !place.contains(one)) return;
    const inner = one.getBoundingClientRect(), outer = place.getBoundingClientRect();
    if (inner.top < outer.top + 30 || inner.bottom > outer.bottom - 10) place.scrollTop += inner.top - outer.top - place.clientHeight / 2;
    if (box === ".matrix" && (inner.left < outer.left + 60 || inner.right > outer.right)) place.scrollLeft += inner.left - outer.left - place.clientWidth / 2;
  };
  const mark = (places) => {
    clear();
    places.forEach((one) => one.classList.add("on"));
    into(".deck", places.find((one) => one.matches("li")));
    into(".matrix", places.find((one) => one.matches("td, th")));
  };
  const show = (k) => {
    const element = elements[k];
    mark(at("element", k).concat(element.cell || element.block === null ? [] : at("block", element.block)));
    said.textContent = `${element.said}\n${element.lines.length > 1 ? "lines" : "line"} ${element.lines.join(", ")}: ${element.devices.join(", ")}`;
  };
  const showBlock = (block) => {
    const own = elements.map((element, k) => [element, k]).filter(([element]) => String(element.block) === block);
    mark(at("block", block).concat(own.flatMap(([, k]) => at("element", k))));
    said.textContent = `neuron ${board.waves.labels[Number(block)]}: ${own.reduce((sum, [one]) => sum + one.lines.length, 0)} lines`;
  };
  document.addEventListener("click", (event) => {
    const place = event.target.closest("[data-element], [data-block], [data-name]");
    if (!place) return;
    if (place.dataset.element !== undefined) {
      show(Number(place.dataset.element));
      if (board.again) board.again.choose(Number(place.dataset.element));
    } else if (place.dataset.block !== undefined) {
      showBlock(place.dataset.block);
    } else {
      const k = elements.findIndex((element) => element.devices.includes(place.dataset.name));
      if (k >= 0) show(k);
    }
  });
  return { elements, show, showBlock };
})();

(() => {
  const drawings = board.read("drawings"), chosen = document.getElementById("sheet-name");
  if (!drawings || !chosen) return;
  const sheet = document.getElementById("sheet"), image = sheet.querySelector("img");
  let address = "";
  const show = async () => {
    const drawing = drawings[chosen.selectedIndex];
    const svg = await board.unpack(drawing.svg);
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    image.src = address;
    image.alt = drawing.title;
  };
  chosen.addEventListener("change", show);
  document.getElementById("sheet-large").addEventListener("click", () => sheet.classList.toggle("large"));
  show();
})();
