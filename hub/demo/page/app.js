// Both sides of the hub. One stream of events; each becomes a row on one side, and pairs light up together.

import { bulletinRow, el, hubRow, localRow, size, took } from "./rows.js";
import { intruderReport, writeForm } from "./form.js";
import { RTL, WORDS } from "./words.js";

const KEPT = 80;
const HISTORY_MS = 1200; // what came before the page was opened appears at once; only news slides in
const by = (id) => document.getElementById(id);
const panels = new Map();
let world = null;
let lit = "";
let pinned = "";

// ------------------------------------------------------------------ requests

async function ask(action, body) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body || {}) };
  const answer = await fetch(`api/${action}`, options).catch(() => {
    throw new Error("The demonstration has ended, or does not answer: see the terminal that it runs in");
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.fix ? `${told.message}: ${told.fix}` : told.message);
  return told;
}

let toastTimer = 0;
function toast(text) {
  const line = by("toast");
  line.textContent = text;
  line.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { line.hidden = true; }, 4500);
}

async function during(button, work) {
  button.disabled = true;
  try { await work(); } catch (error) { toast(error.message); }
  button.disabled = false;
}

// ------------------------------------------------------------------ lighting up

function light(id, within = null, smooth = true) {
  if (id === lit) return;
  lit = id;
  for (const each of document.querySelectorAll(".lit")) each.classList.remove("lit");
  const found = id ? [...document.querySelectorAll(`[data-id="${CSS.escape(id)}"]`)] : [];
  for (const each of found) each.classList.add("lit");
  for (const panel of panels.values()) {
    const here = found.find((each) => panel.list.contains(each));
    panel.card.classList.toggle("outside", Boolean(id) && !here && Boolean(reads(id, panel)));
    if (here && panel.list !== within) reveal(panel.list, here, smooth);
  }
  const atHub = found.find((each) => by("hub-rows").contains(each));
  if (atHub && by("hub-rows") !== within) reveal(by("hub-rows"), atHub, smooth);
}

// What arrives while its bulletin is lit joins in.
function join(row, id) {
  if (!id || id !== lit) return;
  row.classList.add("lit");
  reveal(row.parentElement, row, false);
}

const communityOf = new Map(); // bulletin -> slug
function reads(id, panel) {
  const slug = communityOf.get(id);
  return slug && !panel.agency.communities.includes(slug);
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

function reveal(list, row, smooth = true) {
  const top = row.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top + row.offsetHeight > list.scrollTop + list.clientHeight) {
    list.scrollTo({ top: top - 40, behavior: smooth && !still.matches ? "smooth" : "instant" });
  }
}

function idAt(target) {
  const row = target instanceof Element ? target.closest("[data-id]") : null;
  return row ? row.dataset.id : "";
}

function pointing() {
  const stage = by("stage");
  stage.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse" && !pinned) light(idAt(event.target), event.target.closest(".rows"));
  });
  stage.addEventListener("pointerleave", () => { if (!pinned) light(""); });
  stage.addEventListener("focusin", (event) => {
    if (!pinned && event.target.matches(":focus-visible")) light(idAt(event.target), event.target.closest(".rows"));
  });
  stage.addEventListener("click", (event) => {
    const id = idAt(event.target);
    pinned = id && id !== pinned ? id : "";
    light(pinned, event.target.closest(".rows"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { pinned = ""; light(""); }
  });
}

// ------------------------------------------------------------------ events

function prepend(list, row) {
  const away = list.scrollTop > 24;
  const before = list.scrollHeight;
  list.prepend(row);
  if (away) list.scrollTop += list.scrollHeight - before;
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

const HANDLERS = {
  hub(event) {
    prepend(by("hub-rows"), hubRow(event));
    by("hub-empty").hidden = true;
  },
  bulletin(event) {
    const panel = panels.get(event.agency);
    communityOf.set(event.id, event.community);
    const row = bulletinRow(event, panel.agency.language);
    prepend(panel.list, row);
    join(row, event.id);
    panel.empty.hidden = true;
    panel.count.textContent = String(++panel.read);
    const open = panel.tab.getAttribute("aria-selected") === "true";
    if (event.severity === "flash" && !open) panel.tab.classList.add("news");
  },
  pair(event) {
    const row = by("hub-rows").querySelector(`[data-seq="${event.seq}"]`);
    if (row) { row.dataset.id = event.id; row.tabIndex = 0; join(row, event.id); }
  },
  timing(event) {
    const row = panels.get(event.agency).list.querySelector(`[data-id="${CSS.escape(event.id)}"] .took`);
    if (row) row.textContent = took(event.ms);
  },
  local(event) {
    for (const panel of panels.values()) {
      if (panel.local) {
        prepend(panel.local, localRow(event));
        panel.localCount.textContent = String(++panel.heard);
      }
    }
  },
  counts(event) {
    by("c-published").textContent = event.published;
    by("c-hub").textContent = event.hub;
    by("c-bytes").textContent = size(event.hub_bytes);
    by("c-received").textContent = event.received;
    by("c-p50").textContent = event.p50 === null ? "–" : took(event.p50);
  },
  pace(event) { paused(!event.going); },
  trouble(event) { toast(event.text); },
};

function follow() {
  const stream = new EventSource("api/events");
  const state = by("connection");
  stream.onopen = () => { state.dataset.state = "live"; state.textContent = "live · everything on this page is real"; setTimeout(() => document.body.classList.add("live"), HISTORY_MS); };
  stream.onerror = () => { state.dataset.state = "gone"; state.textContent = "the demonstration has ended, or does not answer"; };
  stream.onmessage = (message) => {
    const event = JSON.parse(message.data);
    HANDLERS[event.type]?.(event);
  };
}

// ------------------------------------------------------------------ building the page

function agencyPanel(agency, first) {
  const words = WORDS[agency.language];
  const rtl = RTL.has(agency.language);
  const list = el("ol", { class: "rows", tabindex: "0", "aria-label": agency.name });
  const empty = el("p", { class: "empty" }, words.waiting);
  const count = el("b", {}, "0");
  const chips = world.communities.filter((each) => agency.communities.includes(each.slug)).map((each) => {
    return el("span", { class: "chip", title: each.id, dir: "ltr" }, each.slug);
  });
  for (const officer of agency.officers) {
    chips.push(el("a", { class: "chip", href: world.chat, target: "_blank", rel: "noopener", title: words.chat }, "✆ ", el("bdi", {}, officer)));
  }
  const card = el("section", { class: "agency", id: `a-${agency.id}`, lang: agency.language, dir: rtl ? "rtl" : "ltr",
    "aria-label": agency.name },
    el("header", {},
      el("span", { class: "badge", dir: "ltr" }, agency.code),
      el("div", { class: "name" }, el("h2", {}, agency.name), el("p", { class: "chips" }, ...chips)),
      el("p", { class: "read" }, count, el("span", {}, words.read))),
    el("div", { class: "desk" }, list, empty, el("p", { class: "away" }, words.outside)));
  const panel = { agency, card, list, empty, count, read: 0, heard: 0 };
  if (agency.integrator) {
    panel.local = el("ol", { class: "local", dir: "ltr", tabindex: "0", "aria-label": words.systems });
    panel.localCount = el("b", {}, "0");
    card.append(el("aside", { class: "systems" },
      el("p", {}, words.systems, el("code", { dir: "ltr" }, agency.integrator),
        el("span", {}, `${words.upTo} `, el("bdi", {}, world.ceiling)), panel.localCount), panel.local));
  }
  panel.tab = el("button", { type: "button", role: "tab", "aria-selected": String(first), "aria-controls": card.id,
    onclick: () => choose(agency.id) }, agency.code);
  if (!first) card.classList.add("behind");
  return panel;
}

function choose(id) {
  for (const [each, panel] of panels) {
    panel.tab.setAttribute("aria-selected", String(each === id));
    panel.card.classList.toggle("behind", each !== id);
    if (each === id) panel.tab.classList.remove("news");
  }
}

function paused(now) {
  by("pause").textContent = now ? "Go on" : "Pause";
  by("pause").setAttribute("aria-pressed", String(now));
}

function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

async function begin() {
  world = await (await fetch("api/world")).json();
  by("hub-name").textContent = world.hub;
  by("chat").href = world.chat;
  world.agencies.forEach((agency, at) => {
    const panel = agencyPanel(agency, at === 0);
    panels.set(agency.id, panel);
    by("agencies").append(panel.card);
    by("tabs").append(panel.tab);
  });
  by("all").addEventListener("change", (event) => by("hub").classList.toggle("everything", event.target.checked));
  by("theme").addEventListener("click", theme);
  by("write").addEventListener("click", () => writeForm(world, async (fields) => {
    const told = await ask("publish", fields);
    toast(`${told.ref} is admitted. The hub keeps ciphertext; its readers have your words.`);
    pinned = told.id;
    light(told.id, null, false);
  }));
  by("intruder").addEventListener("click", () => during(by("intruder"), async () => intruderReport(await ask("intruder"))));
  by("digest").addEventListener("click", () => during(by("digest"), async () => {
    const told = await ask("digest");
    toast(told.ref ? `${told.ref}: a digest of what its community received` : `No digest: ${told.message}`);
  }));
  by("pause").addEventListener("click", () => during(by("pause"), async () => paused(!(await ask("pause")).going)));
  pointing();
  follow();
}

begin();
