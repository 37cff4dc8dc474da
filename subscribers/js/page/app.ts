/** The reader as a page: keys are chosen from the disk, stay in this page's memory, and are sent nowhere. */

import { BrowserJournal } from "../src/browser_journal.js";
import { isObject } from "../src/fields.js";
import { parseAdmission, parseKey } from "../src/files.js";
import type { Told } from "../src/reader.js";
import { run, type Ready, type Seeds } from "../src/run.js";

const RIGHT_TO_LEFT = ["ar"];

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function say(text: string, bad = false): void {
  const state = element("state");
  state.textContent = text;
  state.classList.toggle("bad", bad);
}

function made(tag: string, text: string, kind = ""): HTMLElement {
  const found = document.createElement(tag);
  found.textContent = text;
  found.className = kind;
  return found;
}

function show(told: Told | Ready): void {
  switch (told.event) {
    case "ready":
      say(`Connected. ${told.directory} documents of the directory verified; waiting for bulletins.`);
      break;
    case "bulletin":
      element("bulletins").prepend(sheet(told));
      break;
    case "skipped":
      break;
    default:
      element("troubles").prepend(made("li", JSON.stringify(told)));
  }
}

function sheet({ bulletin, agency, originator, slug, community }: Extract<Told, { event: "bulletin" }>): HTMLElement {
  const text = (name: string): string => (typeof bulletin[name] === "string" ? bulletin[name] : "");
  const tlp = text("tlp");
  const colour = `tlp tlp-${tlp.replace("TLP:", "").replace("+", "-").toLowerCase()}`;
  const item = made("li", "");
  const from = made("div", `${text("ref")} · ${originator ? `${originator}, carried by ${agency}` : agency} → ${slug ?? community} · ${text("kind")}, ${text("severity")} `, "from");
  from.append(made("span", tlp, colour));
  item.append(from, made("h2", text("title")), made("p", text("summary") || text("body")));
  item.lang = text("language");
  item.dir = RIGHT_TO_LEFT.includes(item.lang) ? "rtl" : "ltr";
  if (isObject(bulletin["grading"])) item.append(made("div", Object.values(bulletin["grading"]).join(" "), "from"));
  return item;
}

/** The files that were chosen, by their names without the ending. */
async function seeds(): Promise<Seeds> {
  const files = [...(element<HTMLInputElement>("keys").files ?? [])];
  const read = async (name: string): Promise<Uint8Array<ArrayBuffer>> =>
    parseKey((await files.find((each) => each.name === `${name}.key`)?.text()) ?? "", name);
  return {
    encryption: await read("encryption"),
    identity: await read("identity"),
    nats: await read("nats"),
    signing: await read("signing"),
  };
}

async function read(): Promise<void> {
  const [chosen] = element<HTMLInputElement>("admission").files ?? [];
  const file = new Uint8Array((await chosen?.arrayBuffer()) ?? new ArrayBuffer(0));
  const admission = parseAdmission(file, element<HTMLInputElement>("fingerprint").value);
  const keys = await seeds();
  const journal = await BrowserJournal.open(admission.endpoint);
  element("who").hidden = true;
  say("Connecting to the hub…");
  const place = { kept: await journal.entries(), keep: journal.append.bind(journal), tell: show };
  await run(admission, keys, place, () => false);
  say("The connection has ended. Load the page again to go on where it stopped.", true);
}

element("who").addEventListener("submit", (event) => {
  event.preventDefault();
  read().catch((error: unknown) => {
    element("who").hidden = false;
    say(error instanceof Error ? error.message : String(error), true);
  });
});
