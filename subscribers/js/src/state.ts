/** What an endpoint has on its disk: keys as `liaison-agency init` writes them, the admission, and a journal. */

import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

import { bytes, fromBase64, fromHex, parseJson, toBase64 } from "./encoding.js";
import { AGENCY_ID, ENDPOINT, HASH, listOf, matches, record, type Check } from "./fields.js";

const ADMISSION_MAX = 65_536;
const MESSAGE_MAX = 1 << 20;
const [OTHERS, PRIVATE] = [0o077, 0o600];

/** What is wrong here on our own side: told to whoever runs the program. */
export class Trouble extends Error {}

/** The seed in `<directory>/<name>.key`, which nobody else may be able to read. */
export function readKey(directory: string, name: string): Uint8Array<ArrayBuffer> {
  const path = join(directory, `${name}.key`);
  if ((statSync(path).mode & OTHERS) !== 0) throw new Trouble(`${path} can be read by others: chmod 600 it`);
  const found = /^liaison\/1 ([a-z]+) ([0-9a-f]{64})\n$/.exec(readFileSync(path, "ascii"));
  if (found?.[1] !== name) throw new Trouble(`${path} is damaged or not what its name says`);
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
export function readAdmission(path: string, fingerprint: string): Admission {
  const fields = parseJson(readFileSync(path), ADMISSION_MAX);
  if (!ADMISSION(fields)) throw new Trouble(`${path} is no admission file, or of a hub without a WebSocket listener`);
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

/**
 * Every message that was taken, ciphertext as it is: what the hub no longer sends once it was acknowledged. State is
 * made from it anew at each start. A line is on the disk before its message is acknowledged.
 */
export class Journal {
  private readonly file: number;

  constructor(private readonly path: string) {
    this.file = openSync(path, "a", PRIVATE);
  }

  /** What was kept. A last line without an end was being written when the program died: its message comes again. */
  *entries(): Generator<Entry> {
    const lines = readFileSync(this.path, "utf8").split("\n");
    if (lines.pop() !== "") throw new Trouble(`${this.path} ends within a line: remove that line`);
    for (const line of lines) {
      const fields = parseJson(bytes(line), 2 * MESSAGE_MAX);
      if (!ENTRY(fields)) throw new Trouble(`${this.path} is damaged`);
      const { at, subject, data } = fields as { at: number; subject: string; data: string };
      yield { at, subject, data: fromBase64(data, MESSAGE_MAX) };
    }
  }

  append({ at, subject, data }: Entry): void {
    writeSync(this.file, `${JSON.stringify({ at, subject, data: toBase64(data) })}\n`);
    fsyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}
