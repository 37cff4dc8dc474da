/** What an endpoint has on its disk: keys as `liaison-agency init` writes them, the admission, and a journal. */

import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";

import { bytes, parseJson } from "./encoding.js";
import { MESSAGE_MAX, packed, parseAdmission, parseKey, Trouble, unpacked, type Admission, type Entry } from "./files.js";

const [OTHERS, PRIVATE] = [0o077, 0o600];

/** The seed in `<directory>/<name>.key`, which nobody else may be able to read. */
export function readKey(directory: string, name: string): Uint8Array<ArrayBuffer> {
  const path = join(directory, `${name}.key`);
  if ((statSync(path).mode & OTHERS) !== 0) throw new Trouble(`${path} can be read by others: chmod 600 it`);
  return parseKey(readFileSync(path, "ascii"), name);
}

/** As `parseAdmission`. */
export function readAdmission(path: string, fingerprint: string): Admission {
  return parseAdmission(readFileSync(path), fingerprint);
}

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
      yield unpacked(parseJson(bytes(line), 2 * MESSAGE_MAX), this.path);
    }
  }

  append(entry: Entry): void {
    writeSync(this.file, `${JSON.stringify(packed(entry))}\n`);
    fsyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}
