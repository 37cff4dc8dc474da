/** What a reader says of messages that come again. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { bytes, fromHex } from "../src/encoding.js";
import { Reader } from "../src/reader.js";
import { ready } from "../src/signatures.js";
import { DOCUMENTS } from "../src/subjects.js";
import { kemKey } from "../src/wraps.js";
import type { Base } from "./runner.js";

const file = new URL("../../../../tests/vectors/base.json", import.meta.url);
const base = JSON.parse(readFileSync(file, "utf8")) as Base;
const AT = 0;

/** A community's entries, with the subject that they stand under. */
function* entries(): Generator<{ at: number; subject: string; data: Uint8Array<ArrayBuffer> }> {
  for (const each of base.entries) {
    const { payload } = JSON.parse(each) as { payload: string };
    const { com } = JSON.parse(Buffer.from(payload, "base64").toString()) as { com: string };
    yield { at: AT, subject: `m.${com}`, data: bytes(each) };
  }
}

test("the hub goes back to a community's first entry, and nothing is refused", async () => {
  await ready;
  const reader = new Reader(fromHex(base.fingerprint, 32), "", await kemKey(new Uint8Array(32)));
  for (const each of base.documents) {
    assert.deepEqual(await reader.take({ at: AT, subject: DOCUMENTS, data: bytes(each) }), []);
  }
  const all = [...entries()];
  assert.ok(all.length > 1);
  for (const entry of [...all, ...all]) assert.deepEqual(await reader.take(entry), []);
});
