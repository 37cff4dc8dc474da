/** FORMAT.md, "History": pages of old frames, requests for old keys, and handovers of them. */

import type { Directory } from "./directory.js";
import { demandCanonical, parseJson, toHex } from "./encoding.js";
import { CODES, demand, Refusal, type Code } from "./errors.js";
import { COMMUNITY, distinct, ENDPOINT, HASH, listOf, matches, oneOf, record, whole } from "./fields.js";
import { DOCUMENT_MAX, HASH_SIZE, HPKE_SIZE, KID_SIZE, PAGE_FRAMES_MAX, PAGE_MAX, WRAPS_PER_BUNDLE } from "./limits.js";
import { HISTORY_TYPE, parseEnvelope, signers, type Envelope } from "./signatures.js";

const [COMMUNITY_SIZE, ENDPOINT_SIZE] = [16, 56];
const [REFUSED, GIVEN] = [0, 1];

export interface Page {
  /** The sequence at which TRAFFIC ends. */
  readonly last: number;
  readonly more: boolean;
  readonly frames: readonly { readonly sequence: number; readonly subject: string; readonly data: Uint8Array }[];
}

/** Bytes that are taken one part after another. */
class Parts {
  private at = 0;

  constructor(
    private readonly data: Uint8Array,
    private readonly code: Code,
  ) {}

  get ended(): boolean {
    return this.at === this.data.length;
  }

  take(size: number): Uint8Array {
    demand(this.at + size <= this.data.length, this.code, "it ends before its parts do");
    this.at += size;
    return this.data.slice(this.at - size, this.at);
  }

  /** Up to 2^53: no sequence goes beyond. */
  number(size: number): number {
    const value = this.take(size).reduce((sum, byte) => 256 * sum + byte, 0);
    demand(Number.isSafeInteger(value), this.code, "a number beyond its limit");
    return value;
  }

  ascii(size: number): string {
    const part = this.take(size);
    demand(part.every((byte) => byte < 0x80), this.code, "not ASCII");
    return String.fromCharCode(...part);
  }
}

/** What the hub answers to who asked for frames after a sequence. Throws `bad_page`, and the code of a refusal. */
export function parsePage(data: Uint8Array, after: number): Page {
  demand(data.length <= PAGE_MAX, "bad_page", "a page beyond its limit");
  const parts = new Parts(data, "bad_page");
  const kind = parts.number(1);
  if (kind === REFUSED) throw refusal(parts.ascii(data.length - 1));
  demand(kind === GIVEN, "bad_page", "neither a page nor a refusal");
  const [last, more] = [parts.number(8), parts.number(1)];
  const frames: Page["frames"][number][] = [];
  let before = after;
  while (!parts.ended) {
    const [sequence, subject, length] = [parts.number(8), parts.number(1), parts.number(4)];
    demand(sequence > before && sequence <= last, "bad_page", "sequences that do not ascend");
    before = sequence;
    frames.push({ sequence, subject: parts.ascii(subject), data: parts.take(length) });
  }
  demand(frames.every((each) => each.subject.startsWith("f.")), "bad_page", "no subject of a frame");
  const sound = frames.length <= PAGE_FRAMES_MAX && (more === 0 || (more === 1 && frames.length > 0));
  demand(sound, "bad_page", "too many frames, or more to come and none here");
  return { last, more: more === 1, frames };
}

function refusal(text: string): Refusal {
  const known = CODES.find((code) => code === text);
  return new Refusal(known ?? "bad_page", known ? "the hub refuses" : "no code of a refusal");
}

/** A request for old keys, of which nothing is believed yet. */
export interface KeyRequest {
  readonly com: string;
  readonly endpoint: string;
  readonly holder: string;
  readonly publisher: string;
  readonly epochs: readonly string[];
  readonly envelope: Envelope;
}

const REQUEST = record({
  v: oneOf(1),
  type: oneOf("history"),
  issued: whole(0),
  com: matches(COMMUNITY),
  endpoint: matches(ENDPOINT),
  holder: matches(ENDPOINT),
  publisher: matches(ENDPOINT),
  epochs: listOf(matches(HASH), WRAPS_PER_BUNDLE, 1),
});

/** Throws as `parseEnvelope`. */
export function parseRequest(data: Uint8Array): KeyRequest {
  const envelope = parseEnvelope(data, HISTORY_TYPE);
  const fields = parseJson(envelope.payload, DOCUMENT_MAX);
  demand(REQUEST(fields) && distinct(fields["epochs"] as string[]), "bad_document", "not a request for old keys");
  demandCanonical(fields, envelope.payload);
  return { ...(fields as unknown as Omit<KeyRequest, "envelope">), envelope };
}

/**
 * The agency that asks, where hub and holder may go on with it at `now`. Throws `unknown_publisher`, `revoked_key`,
 * `bad_signature`, `unknown_community`, `not_member`.
 */
export function checkRequest(request: KeyRequest, directory: Directory, now: number): string {
  const asking = directory.endpoints.get(request.endpoint);
  demand(asking !== undefined, "unknown_publisher", "the endpoint has no keys in the directory");
  const keys = [...directory.signing.values()].filter((each) => each.endpoint === request.endpoint);
  const current = keys.filter((each) => each.version === asking.version);
  demand(current.every((each) => !each.revoked), "revoked_key", "the key was revoked");
  const signed = signers(request.envelope, current.map((each) => each.key)) === 1;
  demand(signed, "bad_signature", "not signed by the endpoint's current key");
  const community = directory.communities.get(request.com);
  demand(community !== undefined, "unknown_community", "the directory has no such community");
  for (const agency of [asking.agency, directory.endpoints.get(request.holder)?.agency]) {
    const role = agency === undefined ? undefined : community.roleAt(agency, now);
    demand(role !== undefined, "not_member", "who asks or is asked is not in the community");
  }
  return asking.agency;
}

export interface Handover {
  readonly community: string;
  readonly publisher: string;
  /** Of the reader's encryption key, in hex. */
  readonly kid: string;
  /** By announcement, in hex. */
  readonly wraps: ReadonlyMap<string, Uint8Array>;
}

/** Throws `too_large`, `bad_version`, `bad_wrap`. */
export function parseHandover(data: Uint8Array): Handover {
  const most = 1 + COMMUNITY_SIZE + ENDPOINT_SIZE + KID_SIZE + WRAPS_PER_BUNDLE * (HASH_SIZE + HPKE_SIZE);
  demand(data.length <= most, "too_large", "more keys than a handover holds");
  demand(data[0] === 1, "bad_version", "another version than 1");
  const parts = new Parts(data.slice(1), "bad_wrap");
  const community = toHex(parts.take(COMMUNITY_SIZE));
  const publisher = parts.ascii(ENDPOINT_SIZE);
  demand(ENDPOINT.test(publisher), "bad_wrap", "no endpoint");
  const kid = toHex(parts.take(KID_SIZE));
  const wraps = new Map<string, Uint8Array>();
  do {
    const announcement = toHex(parts.take(HASH_SIZE));
    demand(!wraps.has(announcement), "bad_wrap", "an epoch twice");
    wraps.set(announcement, parts.take(HPKE_SIZE));
  } while (!parts.ended);
  return { community, publisher, kid, wraps };
}
