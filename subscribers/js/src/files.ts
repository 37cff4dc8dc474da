/** The files of an endpoint, from their text: keys, the admission, entries of a journal. No I/O. */

import { fromBase64, fromHex, parseJson, toBase64, type JsonObject } from "./encoding.js";
import { AGENCY_ID, ENDPOINT, HASH, listOf, matches, record, type Check } from "./fields.js";

const ADMISSION_MAX = 65_536;
export const MESSAGE_MAX = 1 << 20;

/** What is wrong here on our own side: told to whoever runs the program. */
export class Trouble extends Error {}

/** The seed in the text of `<name>.key`. */
export function parseKey(file: string, name: string): Uint8Array<ArrayBuffer> {
  const found = /^liaison\/1 ([a-z]+) ([0-9a-f]{64})\n$/.exec(file);
  if (found?.[1] !== name) throw new Trouble(`${name}.key is damaged or not what its name says`);
  return fromHex(found[2], 32);
}

export interface Admission {
  readonly agency: string;
  readonly endpoint: string;
  readonly user_jwt: string;
  readonly websockets: string[];
  readonly fingerprint: string;
}

const text: Check = (value) => typeof value === "string";
const ADMISSION = record(
  {
    v: (value) => value === 1,
    agency: matches(AGENCY_ID),
    endpoint: matches(ENDPOINT),
    user_jwt: text,
    urls: listOf(text),
    websockets: listOf(text, 16, 1),
    root: text,
    fingerprint: matches(HASH),
  },
  { hub: () => true },
);

/** An admission file, of a hub that the secretariat's `fingerprint` names. Nothing in it is believed otherwise. */
export function parseAdmission(file: Uint8Array, fingerprint: string): Admission {
  const fields = parseJson(file, ADMISSION_MAX);
  if (!ADMISSION(fields)) throw new Trouble("no admission file, or of a hub without a WebSocket listener");
  const admission = fields as unknown as Admission;
  if (admission.fingerprint !== fingerprint) throw new Trouble("the admission is of another root than you were told of");
  return admission;
}

/** One message as it came: `at` is our time then, so that every verdict comes out again as it was. */
export interface Entry {
  readonly at: number;
  readonly subject: string;
  readonly data: Uint8Array<ArrayBuffer>;
}

const ENTRY = record({ at: (value) => typeof value === "number", subject: text, data: text });

/** An entry as a journal keeps it. */
export function packed({ at, subject, data }: Entry): JsonObject {
  return { at, subject, data: toBase64(data) };
}

/** An entry from a journal, which `where` names. */
export function unpacked(fields: JsonObject, where: string): Entry {
  if (!ENTRY(fields)) throw new Trouble(`${where} is damaged`);
  const { at, subject, data } = fields as { at: number; subject: string; data: string };
  return { at, subject, data: fromBase64(data, MESSAGE_MAX) };
}
