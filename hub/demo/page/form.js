// The dialog: a visitor's own bulletin, and what became of the intruder.

import { el } from "./rows.js";
import { KIND_CHOICES, SEVERITIES, WORDS } from "./words.js";

const TLPS = ["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"];
const LANGUAGES = { en: "English", fr: "Français", ru: "Русский", ar: "العربية", es: "Español", zh: "中文" };
const dialog = document.getElementById("dialog");

function choice(label, name, options, chosen) {
  const select = el("select", { name, id: `f-${name}`, "aria-label": label },
    ...options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));
  return el("label", { for: `f-${name}` }, el("span", {}, label), select);
}

function opened(title, ...content) {
  dialog.replaceChildren(
    el("header", {}, el("h2", { id: "dialog-title" }, title),
      el("button", { class: "close", type: "button", "aria-label": "Close", onclick: () => dialog.close() }, "×")),
    ...content);
  if (!dialog.open) dialog.showModal();
}
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

export function writeForm(world, send) {
  const english = WORDS.en;
  const agency = choice("Agency", "agency", world.agencies.map((each) => [each.id, `${each.code} · ${each.name}`]), "un-cell");
  const community = choice("To", "community", [], "");
  const agencySelect = agency.querySelector("select");
  const communitySelect = community.querySelector("select");
  const reach = el("p", { class: "reach" });
  const fill = () => {
    const own = world.agencies.find((each) => each.id === agencySelect.value).communities;
    const before = communitySelect.value;
    communitySelect.replaceChildren(...world.communities.filter((each) => own.includes(each.slug))
      .map((each) => el("option", { value: each.slug, selected: each.slug === before }, each.title)));
    tell();
  };
  const tell = () => {
    const members = world.communities.find((each) => each.slug === communitySelect.value).members;
    const out = world.agencies.filter((each) => !members.includes(each.id)).map((each) => each.code);
    reach.textContent = `Readers: ${world.agencies.filter((each) => members.includes(each.id)).map((each) => each.code).join(", ")}`
      + (out.length ? `. ${out.join(", ")} will receive nothing. The hub will read nothing.` : ". The hub will read nothing.");
  };
  agencySelect.addEventListener("change", fill);
  communitySelect.addEventListener("change", tell);
  const title = el("input", { name: "title", id: "f-title", required: true, maxlength: "180", dir: "auto", autocomplete: "off",
    placeholder: "One line" });
  const body = el("textarea", { name: "body", id: "f-body", rows: "4", maxlength: "4000", dir: "auto",
    placeholder: "Your words" });
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const button = el("button", { class: "tool primary", type: "submit" }, "Seal, sign and publish");
  const form = el("form", { class: "write" },
    el("div", { class: "pair" }, agency, community),
    el("div", { class: "trio" },
      choice("Kind", "kind", KIND_CHOICES.map((each) => [each, english.kind[each]]), "notice"),
      choice("Severity", "severity", SEVERITIES.map((each) => [each, english.severity[each]]), "elevated"),
      choice("Marking", "tlp", TLPS.map((each) => [each, each]), "TLP:GREEN"),
      choice("Language", "language", Object.entries(LANGUAGES), "en")),
    el("label", { for: "f-title" }, el("span", {}, "Title"), title),
    el("label", { for: "f-body" }, el("span", {}, "Text"), body),
    reach, wrong, el("footer", {}, button));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    wrong.hidden = true;
    try {
      await send(Object.fromEntries(new FormData(form)));
      dialog.close();
    } catch (error) {
      wrong.textContent = error.message;
      wrong.hidden = false;
    }
    button.disabled = false;
  });
  fill();
  opened("Publish your own", form);
  title.focus();
}

export function intruderReport(told) {
  const rows = told.refused.map((each) => el("tr", {}, el("td", {}, each.what), el("td", {}, el("code", {}, each.code))));
  const stopped = told.stopped.map((what) => el("tr", {}, el("td", {}, what), el("td", {}, el("code", {}, "no route"))));
  opened("What the intruder got",
    el("p", {}, `${told.who} was a member once, and was put out. It still has its connection and its own keys, and tried:`),
    el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, "Attempt"), el("th", {}, "Refused with"))), el("tbody", {}, ...rows, ...stopped)),
    el("p", { class: "soft" }, "Each refusal stands in red on the hub’s side. No agency ever saw any of it."));
}
