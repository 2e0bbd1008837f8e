"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/* Sorting: a figure by its first number, what has none by its words, unknown ones last. */

const FIGURE = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/i;

function value(cell) {
  const text = cell.textContent.trim().replaceAll("−", "-");
  if (text === "" || text === "–") return null;
  const figure = FIGURE.exec(text);
  return figure ? Number(figure[0]) : text.toLowerCase();
}

function compare(one, other) {
  if (typeof one === typeof other) return one < other ? -1 : one > other ? 1 : 0;
  return typeof one === "number" ? -1 : 1;
}

function sort(heading) {
  const row = heading.parentElement;
  const body = heading.closest("table").tBodies[0];
  const place = [...row.children].indexOf(heading);
  const next = { ascending: "descending", descending: "" }[heading.getAttribute("aria-sort")] ?? "ascending";
  for (const other of row.children) other.removeAttribute("aria-sort");
  const rows = [...body.rows];
  rows.forEach((one, number) => { one.dataset.place ??= number; });
  if (next) heading.setAttribute("aria-sort", next);
  const sign = next === "descending" ? -1 : 1;
  const keyed = rows.map((one) => [next ? value(one.cells[place]) : 0, Number(one.dataset.place), one]);
  keyed.sort(([a, i], [b, j]) => {
    if (a === null || b === null) return (a === null) - (b === null) || i - j;
    return sign * compare(a, b) || i - j;
  });
  body.append(...keyed.map(([, , one]) => one));
}

document.addEventListener("click", (event) => {
  const heading = event.target.closest("th");
  if (heading && event.target.closest("button")) sort(heading);
});

/* Filtering: what contains all words stays, be they in a row or in the titles above it. */

let filtered = null;

function collected() {
  const found = [];
  const add = (node, above) => found.push([node, `${above} ${node.textContent}`.toLowerCase()]);
  for (const table of all("figure.table")) {
    const above = `${title(table)} ${table.querySelector("figcaption").textContent}`;
    for (const row of table.querySelector("tbody").rows) add(row, above);
  }
  for (const node of all("[data-filter], .case, .sheet")) add(node, title(node));
  return found;
}

function title(node) {
  return node.closest(".group")?.querySelector("summary").firstChild.textContent ?? "";
}

function filter(typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  filtered ??= collected();
  let kept = 0;
  for (const [node, text] of filtered) {
    const stays = words.every((word) => text.includes(word));
    node.classList.toggle("out", !stays);
    kept += stays;
  }
  const empty = (node, parts) => all(parts, node).every((part) => part.classList.contains("out"));
  for (const table of all("figure.table")) table.classList.toggle("out", empty(table, "tbody tr"));
  for (const group of all(".group")) {
    const none = empty(group, "figure");
    group.classList.toggle("out", words.length > 0 && none);
    group.dataset.open ??= group.open;
    group.open = words.length ? !none : group.dataset.open === "true";
    if (!words.length) delete group.dataset.open;
  }
  document.getElementById("matches").value = words.length ? `${kept.toLocaleString("en")} match` : "";
}

const field = document.getElementById("filter");
let waiting;
field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => filter(field.value), 120);
});

/* Cases: drawn when they are opened. */

let data = null;
const OUTCOMES = { t: "trained", c: "collapsed", d: "diverged" };

function table(headings, rows) {
  const made = element("table");
  const top = made.createTHead().insertRow();
  const numeric = headings.map((_, place) => rows.every((row) => typeof (row[place] ?? 0) === "number"));
  headings.forEach((heading, place) => {
    const cell = element("th", "", numeric[place] ? { class: "n" } : {});
    cell.append(element("button", heading, { type: "button" }));
    top.append(cell);
  });
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    row.forEach((text, place) => line.append(element("td", text ?? "–", numeric[place] ? { class: "n" } : {})));
  }
  const frame = element("div", "", { class: "scroll", tabindex: "0", role: "region", "aria-label": "runs" });
  frame.append(made);
  return frame;
}

function listed(heading, fields) {
  const part = element("div");
  const list = element("dl");
  for (const [name, held] of Object.entries(fields)) {
    const text = held !== null && typeof held === "object" ? JSON.stringify(held) : String(held);
    list.append(element("dt", name), element("dd", text));
  }
  part.append(element("h4", heading), list);
  return part;
}

function entry(one) {
  const part = element("div");
  part.append(element("h4", one.where));
  if (one.verdict) {
    const said = element("p");
    said.append(element("span", one.verdict, { class: `verdict ${one.verdict.toLowerCase()}` }), ` ${one.reason}`);
    part.append(said);
    if (one.message) part.append(element("pre", one.message, { class: "scroll" }));
  }
  const several = one.fingerprint.length > 1;
  const names = Object.keys(one.metrics);
  names.sort((a, b) => (b === one.metric) - (a === one.metric));
  const headings = ["seed", "outcome", ...names.map((name) => name.replaceAll("_", " "))];
  if (one.seconds) headings.push("seconds");
  if (several) headings.push("fingerprint");
  headings.push("digest", "date");
  const rows = one.seeds.map((seed, place) => {
    const row = [seed, OUTCOMES[one.outcomes[place]], ...names.map((name) => one.metrics[name][place])];
    if (one.seconds) row.push(one.seconds[place]);
    if (several) row.push(one.fingerprint[place] + 1);
    return [...row, one.digests[place], (one.dates[place] ?? one.dates[0]).replace("T", " ")];
  });
  part.append(table(headings, rows));
  const more = Object.entries({ parameters: one.parameters, "bytes kept for backward": one.bytes_saved });
  const known = Object.fromEntries(more.filter(([, held]) => held !== undefined));
  const beside = element("div", "", { class: "beside" });
  beside.append(listed("Environment", { ...one.environment, ...known }));
  if (Object.keys(one.reported).length) beside.append(listed("Reported by the source", one.reported));
  for (const number of new Set(one.fingerprint)) beside.append(listed(`Fingerprint ${number + 1}`, data.fingerprints[number]));
  beside.append(listed("Recipe", data.recipes[one.recipe]));
  part.append(beside);
  return part;
}

function fill(node) {
  if (node.childElementCount > 1) return;
  data ??= JSON.parse(document.getElementById("data").textContent);
  node.append(...data.cases[node.id.slice("case-".length)].map(entry));
}

for (const node of all(".case")) node.addEventListener("toggle", () => { if (node.open) fill(node); });

/* Links open what they lead to. */

function reveal() {
  const node = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!node) return;
  if (node.matches(".case")) { fill(node); node.open = true; }
  for (let above = node.parentElement; above; above = above.parentElement) if (above.matches("details")) above.open = true;
  if (node.closest(".out")) { field.value = ""; filter(""); }
  node.scrollIntoView({ behavior: "instant" });
}

addEventListener("hashchange", reveal);
if (location.hash) reveal();

/* The section in view is marked in the navigation. */

const links = new Map(all(".contents a").map((link) => [link.hash.slice(1), link]));
const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(target.id)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "-15% 0px -80% 0px" });
for (const section of all("main > section")) seen.observe(section);

/* Copying, colours, printing. */

document.addEventListener("click", async (event) => {
  const button = event.target.closest(".copy");
  if (!button) return;
  const code = button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code);
    button.textContent = "Selected";
  }
});

const THEMES = { "": "Auto", light: "Light", dark: "Dark" };
const button = document.getElementById("theme");

function paint(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  button.textContent = THEMES[name];
  button.setAttribute("aria-label", `Colours: ${name || "as the system"}`);
  try { localStorage.setItem("actbench-theme", name); } catch { /* a page from disk may have no storage */ }
}

paint(document.documentElement.dataset.theme ?? "");
button.addEventListener("click", () => {
  const names = Object.keys(THEMES);
  paint(names[(names.indexOf(document.documentElement.dataset.theme ?? "") + 1) % names.length]);
});

addEventListener("beforeprint", () => { for (const group of all(".group")) group.open = true; });
