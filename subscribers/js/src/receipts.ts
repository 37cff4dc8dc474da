/** FORMAT.md, "Receipts": the hub's signed answers. */

import { bytes, canonicalJson, concat, fromBase64, fromHex, parseJson, type Json } from "./encoding.js";
import { CODES, demand } from "./errors.js";
import { has, oneOf, record, whole } from "./fields.js";
import { HASH_SIZE, RECEIPT_MAX, SIGNATURE_SIZE } from "./limits.js";
import { included } from "./merkle.js";
import { pae, RECEIPT_TYPE, verify } from "./signatures.js";

export interface Answer {
  /** Of the submitted message, in hex. */
  readonly sha256: string;
  readonly code: string;
  readonly at: number;
}

const ITEM = record({
  at: whole(0),
  code: oneOf("admitted", ...CODES),
  index: whole(0),
  path: (value) => Array.isArray(value),
  sha256: (value) => typeof value === "string",
});

/** The verified answers to `publisher`. Throws `too_large`, `bad_json`, `bad_encoding`, `bad_receipt`. */
export function readReceipt(data: Uint8Array, publisher: string, hubKey: Uint8Array): Answer[] {
  const fields = parseJson(data, RECEIPT_MAX);
  demand(has(fields, ["items", "root", "sig", "size", "v"]), "bad_receipt", "not a receipt");
  const { items, size } = fields;
  const formed = fields["v"] === 1 && Array.isArray(items) && whole(0)(size as Json);
  demand(formed, "bad_receipt", "not a receipt");
  const [root, signature] = [fromHex(fields["root"], HASH_SIZE), fromBase64(fields["sig"], SIGNATURE_SIZE)];
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, BigInt(size as number));
  const signed = verify(hubKey, pae(RECEIPT_TYPE, concat(count, root)), signature);
  demand(signed, "bad_receipt", "not signed by the hub's key in the directory");
  return (items as Json[]).map((item) => answer(item, publisher, root, size as number));
}

function answer(item: Json, publisher: string, root: Uint8Array, size: number): Answer {
  demand(ITEM(item), "bad_receipt", "not an answer");
  const { at, code, index, path, sha256 } = item as unknown as Answer & { index: number; path: Json[] };
  fromHex(sha256, HASH_SIZE);
  const leaf = bytes(canonicalJson({ at, code, pub: publisher, sha256 }));
  const steps = path.map((step) => fromHex(step, HASH_SIZE));
  demand(included(leaf, index, size, steps, root), "bad_receipt", "not under the hub's signature");
  return { sha256, code, at };
}
