/** FORMAT.md, "Content" and "Epochs": what is in a body, and the keys of it. */

import sodium from "libsodium-wrappers-sumo";

import { bytes, concat, demandCanonical, parseJson, toHex } from "./encoding.js";
import { demand, Refusal } from "./errors.js";
import { line, matches, oneOf, record, SLUG, textOf } from "./fields.js";
import { ROOMS, type Frame } from "./frame.js";
import { BODY_MAX, KEY_SIZE, LENGTH_SIZE, NONCE_SIZE, PAYLOAD_MAX, SALT_SIZE } from "./limits.js";
import { sha256 } from "./signatures.js";

const COMMITMENT = bytes("liaison/1 plaintext commitment\0");
const PERSON_SIZE = 16;
const PREFIX = SALT_SIZE + LENGTH_SIZE;

/** A key of its own for each purpose. */
export function derive(key: Uint8Array, purpose: string): Uint8Array {
  const person = concat(bytes(purpose), new Uint8Array(PERSON_SIZE)).slice(0, PERSON_SIZE);
  const salt = new Uint8Array(PERSON_SIZE);
  return sodium.crypto_generichash_blake2b_salt_personal(KEY_SIZE, key, salt, person);
}

/** What an announcement says of its key, in hex. */
export const keyCommitment = (key: Uint8Array): string => toHex(derive(key, "liaison/1 commit"));

/** What a header commits to, in hex. */
export const commitmentTo = (salt: Uint8Array, payload: Uint8Array): string => toHex(sha256(COMMITMENT, salt, payload));

/** The payload of a `b` or `c` frame. Throws `decryption_failed`, `bad_padding`, `commitment_mismatch`. */
export function openBody(frame: Frame, key: Uint8Array): Uint8Array {
  return openCommitted(frame.body, frame.head, derive(key, "liaison/1 aead"), COMMITMENT, frame.header.pc);
}

/** The text in `nonce || ciphertext` whose commitment (hex) was signed. Throws as `openBody`. */
export function openCommitted(
  body: Uint8Array,
  bound: Uint8Array,
  key: Uint8Array,
  label: Uint8Array,
  commitment: string,
): Uint8Array {
  const padded = decrypt(body, bound, key);
  const room = padded.length - PREFIX;
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(SALT_SIZE);
  demand(length <= PAYLOAD_MAX && ROOMS.find((each) => each >= length) === room, "bad_padding", "not the smallest room");
  const payload = padded.slice(PREFIX, PREFIX + length);
  demand(padded.subarray(PREFIX + length).every((byte) => byte === 0), "bad_padding", "padding that is not zero");
  const found = toHex(sha256(label, padded.slice(0, SALT_SIZE), payload));
  demand(found === commitment, "commitment_mismatch", "not the plaintext that was committed to");
  return payload;
}

function decrypt(body: Uint8Array, bound: Uint8Array, key: Uint8Array): Uint8Array {
  const [nonce, sealed] = [body.slice(0, NONCE_SIZE), body.slice(NONCE_SIZE)];
  try {
    return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, sealed, bound, nonce, key);
  } catch {
    throw new Refusal("decryption_failed", "the key does not open the body");
  }
}

/** What people call a community. */
export interface Card {
  readonly slug: string;
  readonly title: string;
  readonly rules: string;
}

const CARD = record({ v: oneOf(1), slug: matches(SLUG), title: line, rules: textOf(BODY_MAX) });

/** Throws `bad_json`, `bad_encoding`, `bad_document`. */
export function parseCard(payload: Uint8Array): Card {
  const fields = parseJson(payload, PAYLOAD_MAX);
  demand(CARD(fields), "bad_document", "not a card");
  demandCanonical(fields, payload);
  return fields as unknown as Card;
}
