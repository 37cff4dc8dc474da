// One row at the hub, one bulletin at an agency. Everything is set as text, never as markup.

import { RTL, WORDS } from "./words.js";

export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export const short = (text, first = 6, last = 3) => `${text.slice(0, first)}…${text.slice(-last)}`;
export const size = (bytes) => (bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`);
export const took = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);
const hue = (hex) => (Number.parseInt(hex.slice(0, 6), 16) % 12) * 30;

const SORTS = { bulletin: "sealed bulletin", epoch: "new key announced", card: "sealed card", heartbeat: "heartbeat",
  wrap: "wrapped key", receipt: "receipt", refused: "refused" };

export function hubRow(event) {
  const time = (event.at || "").slice(11, 19);
  const quiet = event.what === "wrap" || event.what === "receipt";
  const row = el("li", { class: `row at-${event.what}`, "data-seq": event.what === "bulletin" ? event.seq : null });
  row.append(el("p", { class: "line" },
    el("span", { class: "what" }, SORTS[event.what] || event.what),
    event.code ? el("code", { class: "code" }, event.code) : null,
    event.precedence === "flash" ? el("span", { class: "flash" }, "flash") : null,
    el("span", { class: "size" }, size(event.size)),
    el("time", {}, time)));
  row.append(subject(event));
  if (!quiet) row.append(el("p", { class: "cipher", "aria-hidden": "true" }, grouped(event.tail || event.head)));
  return row;
}

function subject(event) {
  const tokens = event.subject.split(".");
  const line = el("p", { class: "subject", title: event.subject });
  tokens.forEach((token, at) => {
    if (at) line.append(".");
    if (/^[0-9a-f]{32}$/.test(token)) {
      const part = el("span", { class: "community" }, short(token));
      part.style.setProperty("--hue", hue(token));
      line.append(part);
    } else if (/^A[A-Z2-7]{55}$/.test(token)) line.append(el("span", { class: "key" }, short(token, 5, 4)));
    else line.append(token);
  });
  return line;
}

const grouped = (hex) => (hex.match(/.{1,8}/g) || []).join(" ");

export function bulletinRow(event, language) {
  const words = WORDS[language];
  const facts = el("p", { class: "facts" },
    el("span", { class: "kind" }, words.kind[event.kind] || event.kind),
    el("span", { class: "severity" }, words.severity[event.severity] || event.severity),
    el("span", { class: `tlp ${event.tlp.slice(4).toLowerCase().replace("+", "-")}`, dir: "ltr" }, event.tlp),
    el("span", { class: "took", dir: "ltr" }));
  const sort = event.translation === "original" ? null : words[event.translation];
  const foreign = event.translation === "original" && event.written !== language
    ? words.written(words.language[event.written]) : null;
  const from = el("p", { class: "from" },
    el("bdi", { class: "who" }, event.own ? words.own : event.from_name),
    el("bdi", { class: "where" }, event.community_title),
    sort || foreign ? el("span", { class: "sort" }, sort || foreign) : null,
    el("span", { class: "ref", dir: "ltr" }, event.ref));
  const direction = RTL.has(event.language) ? "rtl" : "ltr";
  const row = el("li", { class: `bulletin ${event.severity}${event.own ? " own" : ""}`, "data-id": event.id, tabindex: "0" },
    facts, el("h3", { dir: direction, lang: event.language }, event.title));
  if (event.text) row.append(el("p", { class: "text", dir: direction, lang: event.language }, event.text));
  row.append(from);
  return row;
}

export function localRow(event) {
  const [, , community, kind, severity, tlp] = event.subject.split(".");
  return el("li", { title: event.subject },
    el("code", { dir: "ltr" }, "bulletin.live.", el("b", {}, community), ".", el("b", {}, kind), `.${severity}.${tlp}`),
    el("bdi", { class: "said" }, event.text));
}
