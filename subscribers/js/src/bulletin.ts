/** FORMAT.md, "Bulletin": which JSON is one. */

import { parseJson, type Json, type JsonObject } from "./encoding.js";
import { demand } from "./errors.js";
import {
  boolean, COMMUNITY, distinct, HASH, isObject, line, lineOf, listOf, matches, oneOf, orNull, record, textOf, UUID7,
  whole, type Check,
} from "./fields.js";
import type { Header } from "./frame.js";
import {
  ATTACHMENT_MAX, ATTACHMENTS_MAX, BODY_MAX, FILE_NAME_BYTES_MAX, FILE_NAME_MAX, PAYLOAD_MAX, SUMMARY_MAX,
} from "./limits.js";

const TRANSLATIONS_MAX = 5;
const CAVEATS_MAX = 8;
const LINKS_MAX = 512;
const [PATTERN_MIN, PATTERN_MAX] = [3, 2000];

const TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/;
const REF = /^[A-Z][A-Z0-9]{1,7}-[0-9]{4}-[0-9]{4,7}$/;
const TACTIC = /^(?:TA?[0-9]{2,4}(?:\.[0-9]{3})?|LT-[0-9]{4})$/;
const REGION = /^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$/;
const LISTING = /^[A-Z]{2}[ie]\.[0-9]{3}$/;

const time = matches(TIME);
const language = oneOf("ar", "zh", "en", "fr", "ru", "es");
const pattern: Check = (value) =>
  lineOf(PATTERN_MIN, PATTERN_MAX)(value) && /^\[.*\]$/su.test(value as string);
const texts = { summary: textOf(SUMMARY_MAX), body: textOf(BODY_MAX) };

const translation = record({ language, official: boolean, title: line }, texts);
const grading: Check = (value) =>
  record({ system: oneOf("admiralty"), reliability: matches(/^[A-F]$/), credibility: whole(1, 6) })(value) ||
  record({ system: oneOf("europol-4x4"), reliability: matches(/^[ABCX]$/), credibility: whole(1, 4) })(value);
const tactic = record(
  { taxonomy: oneOf("mitre-attack", "disarm", "liaison"), id: matches(TACTIC) },
  { name: orNull(line) },
);
const subject = record(
  { type: oneOf("person", "organisation", "foreign-fighter"), name: line },
  { aliases: listOf(line), reference: orNull(matches(LISTING)) },
);
const personal = record({ legal_basis: line, review: time, correction: line });
const event = record({ name: line }, { venue: orNull(line), starts: orNull(time), ends: orNull(time) });
const channel = record(
  { address: line, state: oneOf("reported", "confirmed", "blocked", "returned") },
  { platform: orNull(line) },
);
const indicator = record({ pattern }, { description: orNull(line) });
const RELATIONS = ["amends", "retracts", "responds-to", "acknowledges", "sights", "contains", "related"];
const name: Check = (value) =>
  lineOf(1, FILE_NAME_MAX)(value) &&
  new TextEncoder().encode(value as string).length <= FILE_NAME_BYTES_MAX &&
  !/[/\\:*?"<>|]|^[. ]|[. ]$/.test(value as string);
const hex = (bytes: number): Check => matches(new RegExp(`^[0-9a-f]{${2 * bytes}}$`));
const attachment = record({
  name,
  media: matches(/^[a-z0-9][a-z0-9.+-]{0,62}\/[a-z0-9][a-z0-9.+-]{0,62}$/),
  size: whole(1, ATTACHMENT_MAX),
  sha256: hex(32),
  seal: record({ header: hex(24), key: hex(32), root: hex(32) }),
});
const link = record({ relation: oneOf(...RELATIONS), id: matches(UUID7) });
const onward = record({ bulletin: matches(UUID7), community: matches(COMMUNITY) });
const envelope = matches(/^[^]{1,32768}$/u);
/** Its form alone: see `onward`. */
const release = record({
  header: matches(/^[^]{1,2048}$/u),
  signature: matches(/^[A-Za-z0-9+/]{86}==$/),
  digest: matches(HASH),
  salt: matches(HASH),
  payload: matches(/^[^]{1,65536}$/u),
  grant: envelope,
});
const KINDS = (
  "tactic threat subject channel narrative cyber event request response sighting acknowledgement amendment " +
  "retraction digest notice"
).split(" ");
const LIKELIHOODS = (
  "almost-no-chance very-unlikely unlikely roughly-even-chance likely very-likely almost-certain"
).split(" ");

const FORM = record(
  {
    id: matches(UUID7),
    ref: matches(REF),
    issued: time,
    kind: oneOf(...KINDS),
    title: line,
    language,
    severity: oneOf("info", "low", "elevated", "high", "flash"),
    tlp: oneOf("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"),
  },
  {
    v: oneOf(1),
    ...texts,
    translations: listOf(translation, TRANSLATIONS_MAX),
    caveats: listOf(line, CAVEATS_MAX),
    pap: orNull(oneOf("PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED")),
    history: oneOf("none", "members"),
    grading: orNull(grading),
    likelihood: orNull(oneOf(...LIKELIHOODS)),
    tactics: listOf(tactic),
    subjects: listOf(subject),
    personal: orNull(personal),
    regions: listOf(matches(REGION)),
    event: orNull(event),
    channel: orNull(channel),
    indicators: listOf(indicator),
    valid_from: orNull(time),
    valid_until: orNull(time),
    links: listOf(link, LINKS_MAX),
    attachments: listOf(attachment, ATTACHMENTS_MAX),
    exercise: boolean,
    drafter: orNull(line),
    releaser: orNull(line),
    onward: orNull(onward),
    grant: orNull(envelope),
    release: orNull(release),
  },
);

/** The link that a kind needs. */
const NEEDS: Record<string, string> = {
  response: "responds-to",
  acknowledgement: "acknowledges",
  amendment: "amends",
  retraction: "retracts",
  sighting: "sights",
  digest: "contains",
};

/** What the receiver compares with the header; the rest of `fields` is as it came. */
export interface Bulletin {
  readonly id: string;
  readonly code: string;
  readonly flash: boolean;
  readonly history: string;
  readonly exercise: boolean;
  readonly fields: JsonObject;
}

/** Throws `too_large`, `bad_json`, `bad_document`, and `bad_encoding` for a time that does not exist. */
export function parseBulletin(payload: Uint8Array): Bulletin {
  const fields = parseJson(payload, PAYLOAD_MAX);
  demand(FORM(fields), "bad_document", "not a bulletin");
  const happening = isObject(fields["event"]) ? fields["event"] : {};
  const ofPeople = isObject(fields["personal"]) ? fields["personal"] : {};
  for (const each of [fields, happening, ofPeople]) {
    for (const name of ["issued", "starts", "ends", "valid_from", "valid_until", "review"]) exists(each[name]);
  }
  const ordered = inOrder(happening["starts"], happening["ends"]) && inOrder(fields["valid_from"], fields["valid_until"]);
  demand(ordered, "bad_document", "an end before its beginning");
  demand(fits(fields), "bad_document", "not what its kind and markings ask for");
  return {
    id: fields["id"] as string,
    code: (fields["ref"] as string).split("-")[0] as string,
    flash: fields["severity"] === "flash",
    history: (fields["history"] ?? "none") as string,
    exercise: fields["exercise"] === true,
    fields,
  };
}

/** That a bulletin says what its signed header says. Throws `exercise_mismatch`, `content_mismatch`. */
export function agrees(bulletin: Bulletin, header: Header, history: string, code: string | undefined): void {
  demand(bulletin.exercise === (header.realm === "exercise"), "exercise_mismatch", "the realm says otherwise");
  const same =
    bulletin.id === header.id &&
    bulletin.flash === (header.precedence === "flash") &&
    bulletin.history === history &&
    bulletin.code === code;
  demand(same, "content_mismatch", "the bulletin says other than its signed header");
}

function exists(value: Json | undefined): void {
  if (typeof value !== "string") return;
  const moment = new Date(value);
  const same = !Number.isNaN(moment.getTime()) && moment.toISOString() === value.replace("Z", ".000Z");
  demand(same && !value.startsWith("0000"), "bad_encoding", "a time that does not exist");
}

/** Times of one form compare as text. */
function inOrder(first: Json | undefined, last: Json | undefined): boolean {
  return typeof first !== "string" || typeof last !== "string" || first <= last;
}

function fits(fields: JsonObject): boolean {
  const members = (name: string): JsonObject[] => (fields[name] ?? []) as JsonObject[];
  const kind = fields["kind"] as string;
  const needed = Object.hasOwn(NEEDS, kind) ? NEEDS[kind] : undefined;
  const languages = [fields["language"] as Json, ...members("translations").map((each) => each["language"] as Json)];
  return (
    (needed === undefined || members("links").some((each) => each["relation"] === needed)) &&
    (kind === "channel") === isObject(fields["channel"]) &&
    (kind !== "event" || isObject(fields["event"])) &&
    (kind !== "subject" || members("subjects").length > 0) &&
    (kind === "request" || !isObject(fields["onward"])) &&
    (kind === "response" || typeof fields["grant"] !== "string") &&
    (!isObject(fields["release"]) || (!isObject(fields["onward"]) && typeof fields["grant"] !== "string")) &&
    (fields["tlp"] !== "TLP:RED" || fields["history"] !== "members") &&
    distinct(languages) &&
    distinct(members("attachments").map((each) => each["name"] as Json))
  );
}
