/** FORMAT.md, "Operational records": what the hub says of its own service. */

import { demandCanonical, parseJson } from "./encoding.js";
import { CODES, demand } from "./errors.js";
import { matches, oneOf, record, whole } from "./fields.js";
import { DOCUMENT_MAX } from "./limits.js";
import { OPERATION_TYPE, parseEnvelope, signers } from "./signatures.js";

export interface Operation {
  readonly at: number;
  readonly kind: string;
  /** An endpoint; empty for the hub. */
  readonly about: string;
  readonly state: string;
  readonly value: number;
  readonly limit: number;
  readonly code: string;
}

const OPERATION = record({
  v: oneOf(1),
  type: oneOf("operation"),
  at: whole(0),
  kind: oneOf("lag", "silence", "quota", "refused", "disk", "expiry"),
  about: matches(/^(A[A-Z2-7]{55})?$/),
  state: oneOf("raised", "cleared"),
  value: whole(0),
  limit: whole(0),
  code: (value) => typeof value === "string",
});

function belongsTogether({ kind, about, code }: Operation): boolean {
  if (about === "") return (kind === "disk" && code === "") || (kind === "expiry" && code === "certificate");
  if (kind === "refused") return CODES.some((each) => each === code);
  return kind === "expiry" ? code === "key" : kind !== "disk" && code === "";
}

/** Throws as `parseEnvelope`, and `bad_signature`. */
export function readOperation(data: Uint8Array, hub: Uint8Array): Operation {
  const envelope = parseEnvelope(data, OPERATION_TYPE);
  const fields = parseJson(envelope.payload, DOCUMENT_MAX);
  const operation = fields as unknown as Operation;
  demand(OPERATION(fields) && belongsTogether(operation), "bad_document", "not an operational record");
  demandCanonical(fields, envelope.payload);
  demand(signers(envelope, [hub]) === 1, "bad_signature", "not signed by the hub's key in the directory");
  return operation;
}
