// Small helpers to build the page. Text only ever goes in as text nodes: no markup is parsed at run time.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  lock: "M7 10V8a5 5 0 0 1 10 0v2h.5A1.5 1.5 0 0 1 19 11.5v7a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 5 18.5v-7A1.5 1.5 0 0 1 6.5 10H7Zm2 0h6V8a3 3 0 0 0-6 0v2Z",
  silent: "M12 3a1.5 1.5 0 0 1 1.5 1.5v.4a5.5 5.5 0 0 1 4 5.3v3.3l1.9 2.6a.8.8 0 0 1-.6 1.3H5.2a.8.8 0 0 1-.6-1.3l1.9-2.6v-3.3a5.5 5.5 0 0 1 4-5.3v-.4A1.5 1.5 0 0 1 12 3ZM9.7 18.700h4.600a2.3 2.3 0 0 1-4.6 0ZM3.3 4.7 4.7 3.3 20.7 19.3 19.3 20.700Z",
  file: "M6 3h8l5 5v11.500A1.5 1.5 0 0 1 17.5 21h-11A1.5 1.5 0 0 1 5 19.500v-15A1.5 1.5 0 0 1 6.5 3H6Zm7 1.500V9h4.500L13 4.500Z",
  clip: "M16.5 6.500v9a4.5 4.5 0 0 1-9 0V6a3 3 0 0 1 6 0v9a1.5 1.5 0 0 1-3 0V7H9v8a3 3 0 0 0 6 0V6a4.5 4.5 0 0 0-9 0v9.500a6 6 0 0 0 12 0v-9h-1.500Z",
  send: "M3.4 20.4 21 12 3.4 3.6 3.4 10.2 15 12 3.4 13.800Z",
  sun: "M12 7a5 5 0 1 0 0 10 5 5 0 0 0 0-10Zm-1-5h2v3h-2V2Zm0 17h2v3h-2v-3ZM2 11h3v2H2v-2Zm17 0h3v2h-3v-2ZM4.2 5.600l1.4-1.4 2.1 2.1-1.4 1.4-2.1-2.100Zm12.1 12.1 1.4-1.4 2.1 2.1-1.4 1.4-2.1-2.100ZM4.2 18.400l2.1-2.1 1.4 1.4-2.1 2.1-1.4-1.400ZM16.3 6.300l2.1-2.1 1.4 1.4-2.1 2.1-1.4-1.400Z",
  moon: "M20.5 14.600A8.5 8.5 0 0 1 9.4 3.500a8.5 8.5 0 1 0 11.1 11.100Z",
  half: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 2v14a7 7 0 0 0 0-14Z",
  block: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Zm0 2c1.6 0 3 .5 4.2 1.400L6.4 16.200A7 7 0 0 1 12 5Zm0 14c-1.6 0-3-.5-4.2-1.400l9.8-9.800A7 7 0 0 1 12 19Z",
  check: "M9.5 17.5 4 12l1.5-1.5 4 4 9-9L20 7 9.5 17.500Z",
};

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

export function marker(name, label) {
  return h("span", { class: `marker ${name}`, role: "img", "aria-label": label, title: label }, icon(name));
}

export const LANGUAGES = {
  ar: "العربية", en: "English", es: "Español", fr: "Français", ru: "Русский", zh: "中文",
};

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export const timeOf = (seconds) => clock.format(new Date(seconds * 1000));

// The date with the figures that the bot's own messages use.
export function dayOf(seconds, language) {
  const locale = language in LANGUAGES && language !== "en" ? `${language}-u-nu-latn` : "en-GB";
  return new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" }).format(new Date(seconds * 1000));
}

export function sizeOf(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

export function initials(name) {
  const words = name.trim().split(/\s+/u);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...word][0]?.toUpperCase() ?? "").join("\u200c");
}
