/** FORMAT.md, "Wraps": HPKE with X-Wing, through which a reader gets the key of an epoch. */

import { Chacha20Poly1305 } from "@hpke/chacha20poly1305";
import { CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";

import { bytes, concat, toHex } from "./encoding.js";
import { keyCommitment } from "./content.js";
import { demand } from "./errors.js";
import { distinct } from "./fields.js";
import { ENC_SIZE, HASH_SIZE, KEY_SIZE, KID_SIZE, WRAP_SIZE, WRAPS_PER_BUNDLE } from "./limits.js";
import type { Epoch } from "./receiver.js";
import { keyId } from "./signatures.js";

const LABEL = bytes("liaison/1 wrap\0");
const HEAD_SIZE = HASH_SIZE + KID_SIZE;

const kem = new XWing();
const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Chacha20Poly1305() });

/** An X-Wing key pair of ours, from its 32-byte seed. */
export interface KemKey {
  readonly kid: Uint8Array;
  readonly pair: CryptoKeyPair;
}

export async function kemKey(seed: Uint8Array<ArrayBuffer>): Promise<KemKey> {
  const pair = await kem.generateKeyPairDerand(seed);
  return { kid: keyId(await publicKey({ pair })), pair };
}

/** The 1216 bytes that stand in the directory. */
export async function publicKey({ pair }: { pair: CryptoKeyPair }): Promise<Uint8Array> {
  return new Uint8Array(await kem.serializePublicKey(pair.publicKey));
}

/** A key that has come: for which announcement (hex SHA-256 of its frame). */
export interface Given {
  readonly announcement: string;
  readonly key: Uint8Array;
}

/**
 * The key in a wrap for `endpoint`. `announced` has the epochs of accepted announcements by their hash.
 * Throws `bad_wrap`, `unknown_epoch`, `history_none`, `key_mismatch`.
 */
export async function acceptWrap(
  data: Uint8Array<ArrayBuffer>,
  announced: ReadonlyMap<string, Epoch>,
  mine: KemKey,
  endpoint: string,
): Promise<Given> {
  demand(data.length === WRAP_SIZE, "bad_wrap", "not the size of a wrap");
  const announcement = toHex(data.slice(0, HASH_SIZE));
  const epoch = announced.get(announcement);
  demand(epoch !== undefined, "unknown_epoch", "for an epoch that was not announced");
  demand(epoch.due || epoch.history === "members", "history_none", "an epoch that is kept from later joiners");
  demand(toHex(data.slice(HASH_SIZE, HEAD_SIZE)) === toHex(mine.kid), "bad_wrap", "for another key");
  const info = concat(LABEL, data.slice(0, HEAD_SIZE), bytes(endpoint));
  const key = await openSealed(data.slice(HEAD_SIZE), info, mine);
  demand(key !== undefined, "bad_wrap", "it does not open");
  demand(key.length === KEY_SIZE && keyCommitment(key) === epoch.commitment, "key_mismatch", "another key than announced");
  return { announcement, key };
}

/** What was sealed to our key under `info` by HPKE; nothing where it was not. */
export async function openSealed(
  sealed: Uint8Array<ArrayBuffer>,
  info: Uint8Array<ArrayBuffer>,
  mine: KemKey,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const given = { recipientKey: mine.pair.privateKey, enc: sealed.slice(0, ENC_SIZE), info };
  try {
    return new Uint8Array(await suite.open(given, sealed.slice(ENC_SIZE)));
  } catch {
    return undefined;
  }
}

/** The announcement (hex) and the recipients' key ids (hex) of a bundle. `bad_version`, `bad_wrap`, `too_large`. */
export function parseBundle(data: Uint8Array): { announcement: string; recipients: string[] } {
  const each = WRAP_SIZE - HASH_SIZE;
  demand(data[0] === 1, "bad_version", "another version than 1");
  const count = (data.length - 1 - HASH_SIZE) / each;
  demand(count <= WRAPS_PER_BUNDLE, "too_large", "more wraps than a bundle holds");
  demand(Number.isInteger(count) && count >= 1, "bad_wrap", "not whole wraps");
  const starts = Array.from({ length: count }, (_, index) => 1 + HASH_SIZE + index * each);
  const recipients = starts.map((start) => toHex(data.slice(start, start + KID_SIZE)));
  demand(distinct(recipients), "bad_wrap", "a recipient twice");
  return { announcement: toHex(data.slice(1, 1 + HASH_SIZE)), recipients };
}
