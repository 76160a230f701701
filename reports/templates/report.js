"use strict";
// Without this script the page shows every row and column, in the order it was written.
const table = document.getElementById("runs");
const body = table.tBodies[0];
const announcer = document.getElementById("announcer");
const groups = ["final", "failed", "pending", "checkpoint"];

// Checkpoint rows stay below the others whatever the order; empty cells come last.
function sortBy(index, heading, direction) {
  const isNumeric = heading.classList.contains("number");
  const keyOf = (row) => {
    const cell = row.cells[index];
    return cell.dataset.key ?? cell.textContent;
  };
  const compare = (a, b) => {
    const group = groups.indexOf(a.className.split(" ")[0]) - groups.indexOf(b.className.split(" ")[0]);
    const [x, y] = [keyOf(a), keyOf(b)];
    if (group || x === "" || y === "") return group || (x === "") - (y === "");
    return direction * (isNumeric ? Number(x) - Number(y) : x.localeCompare(y));
  };
  body.append(...[...body.rows].sort(compare));
}

[...table.tHead.rows[0].cells].forEach((heading, index) => {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => {
    const isAscending = heading.getAttribute("aria-sort") !== "ascending";
    table.querySelector("th[aria-sort]")?.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
    sortBy(index, heading, isAscending ? 1 : -1);
    announcer.textContent = `Sorted by ${heading.dataset.name}, ${isAscending ? "ascending" : "descending"}.`;
  });
});

function toggle(id, className) {
  const box = document.getElementById(id);
  const follow = () => table.classList.toggle(className, !box.checked);
  box?.addEventListener("change", follow);
  if (box) follow();
}
toggle("show-columns", "few");
toggle("show-checkpoints", "no-checkpoints");

document.getElementById("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const row of body.rows) {
    const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
    row.classList.toggle("unmatched", !words.every((word) => text.includes(word)));
  }
});

// Marks of a plot tell their details below it, on hover, focus and the first touch.
for (const plot of document.querySelectorAll("figure.plot")) {
  const told = plot.querySelector(".pointed");
  for (const mark of plot.querySelectorAll("svg a")) {
    const tell = () => { told.textContent = mark.getAttribute("aria-label"); };
    mark.addEventListener("pointerenter", tell);
    mark.addEventListener("focus", tell);
    mark.addEventListener("click", (event) => {
      if (event.pointerType !== "touch" || told.dataset.mark === mark.href.baseVal + mark.getAttribute("aria-label")) return;
      event.preventDefault();
      told.dataset.mark = mark.href.baseVal + mark.getAttribute("aria-label");
      tell();
    });
  }
}

document.querySelector(".controls").hidden = false;
