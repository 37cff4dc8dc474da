/** Every vector of the format, one test each. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { run, type Base, type Case } from "./runner.js";

const vectors = new URL("../../../../tests/vectors/", import.meta.url);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, vectors), "utf8"));

const base = read("base.json") as Base;
const blobs = new URL("attachments/blobs/", vectors);
base.blobs = Object.fromEntries(
  readdirSync(blobs).map((name) => [name.replace(".bin", ""), readFileSync(new URL(name, blobs)).toString("base64")]),
);
/** All but those of a hub alone. */
const names = ["cases/", "log/", "sharing/", "attachments/"].flatMap((folder) =>
  readdirSync(new URL(folder, vectors))
    .filter((name) => name.endsWith(".json"))
    .map((name) => folder + name),
);
assert.ok(names.length > 0, "no vectors found");

for (const name of names) {
  const given = read(name) as Case;
  test(given.name, async () => {
    assert.deepEqual(await run(base, given), given.expect);
  });
}
