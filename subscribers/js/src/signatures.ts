/** FORMAT.md, "Signatures": Ed25519 over DSSE's PAE, key ids, envelopes. `ready` must have come true before. */

import sodium from "libsodium-wrappers-sumo";

import { bytes, concat, demandCanonical, fromBase64, fromHex, parseJson, toHex, type Json } from "./encoding.js";
import { demand } from "./errors.js";
import { has } from "./fields.js";
import { DOCUMENT_MAX, KEY_SIZE, KID_SIZE, SECRETARIAT_KEYS_MAX, SIGNATURE_SIZE } from "./limits.js";

export const ready: Promise<void> = sodium.ready;

export const FRAME_TYPE = "application/vnd.liaison.frame.v1";
export const DIRECTORY_TYPE = "application/vnd.liaison.directory.v1+json";
export const MEMBERSHIP_TYPE = "application/vnd.liaison.membership.v1+json";
export const ENROLMENT_TYPE = "application/vnd.liaison.enrolment.v1+json";
export const HISTORY_TYPE = "application/vnd.liaison.history.v1+json";
export const RELEASE_TYPE = "application/vnd.liaison.release.v1+json";
export const OPERATION_TYPE = "application/vnd.liaison.operation.v1+json";
export const RECEIPT_TYPE = "application/vnd.liaison.receipt.v1";

export function sha256(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return sodium.crypto_hash_sha256(concat(...parts)) as Uint8Array<ArrayBuffer>;
}

export function pae(type: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(bytes(`DSSEv1 ${bytes(type).length} ${type} ${payload.length} `), payload);
}

export function keyId(key: Uint8Array): Uint8Array {
  return sha256(key).slice(0, KID_SIZE);
}

/** libsodium's verification: cofactorless; refuses a large S, keys without their one form, small orders. */
export function verify(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== KEY_SIZE || signature.length !== SIGNATURE_SIZE) return false;
  return sodium.crypto_sign_verify_detached(signature, message, key);
}

/** An Ed25519 key as documents carry it. Throws `bad_encoding`, `bad_key`. */
export function publicKey(text: Json | undefined): Uint8Array {
  const key = fromBase64(text, KEY_SIZE);
  demand(key.length === KEY_SIZE && sodium.crypto_core_ed25519_is_valid_point(key), "bad_key", "not an Ed25519 key");
  return key;
}

export interface Envelope {
  /** SHA-256 of the bytes that were submitted, in hex. */
  readonly hash: string;
  readonly raw: Uint8Array;
  readonly payload: Uint8Array;
  readonly type: string;
  /** By key id in hex. */
  readonly signatures: ReadonlyMap<string, Uint8Array>;
}

/** An envelope in its canonical form. Throws `too_large`, `bad_json`, `bad_encoding`, `bad_document`. */
export function parseEnvelope(data: Uint8Array, type: string): Envelope {
  const fields = parseJson(data, DOCUMENT_MAX);
  demand(has(fields, ["payload", "payloadType", "signatures"]), "bad_document", "not an envelope");
  const { payload, payloadType, signatures } = fields;
  demand(payloadType === type && Array.isArray(signatures), "bad_document", "not an envelope of this type");
  demand(signatures.length >= 1 && signatures.length <= SECRETARIAT_KEYS_MAX, "bad_document", "signatures");
  const statement = fromBase64(payload, DOCUMENT_MAX);
  const found = new Map<string, Uint8Array>();
  for (const each of signatures) {
    demand(has(each, ["keyid", "sig"]), "bad_document", "not a signature");
    const keyid = toHex(fromHex(each["keyid"], KID_SIZE));
    const signature = fromBase64(each["sig"], SIGNATURE_SIZE);
    demand(signature.length === SIGNATURE_SIZE && !found.has(keyid), "bad_document", "not a signature, or twice");
    found.set(keyid, signature);
  }
  demandCanonical(fields, data);
  return { hash: toHex(sha256(data)), raw: data, payload: statement, type, signatures: found };
}

/** How many of `keys`, each counted once, have signed. */
export function signers(envelope: Envelope, keys: readonly Uint8Array[]): number {
  const message = pae(envelope.type, envelope.payload);
  const distinct = new Map(keys.map((key) => [toHex(keyId(key)), key]));
  let count = 0;
  for (const [keyid, key] of distinct) {
    const signature = envelope.signatures.get(keyid);
    if (signature && verify(key, message, signature)) count++;
  }
  return count;
}
