/** FORMAT.md, "Frame": one message, its header and its body. */

import { concat, toHex } from "./encoding.js";
import { demand } from "./errors.js";
import { FRAME_MAX, HEADER_MAX, LENGTH_SIZE, NONCE_SIZE, PAYLOAD_MAX, PAYLOAD_ROOM_MIN } from "./limits.js";
import { SALT_SIZE, SIGNATURE_SIZE, TAG_SIZE } from "./limits.js";
import { FRAME_TYPE, pae, sha256, verify } from "./signatures.js";
import type { Place } from "./subjects.js";

export const ZEROS = "0".repeat(64);

export interface Head {
  readonly size: number;
  readonly root: string;
}

export interface Header extends Place {
  readonly kind: "b" | "c" | "e" | "h";
  readonly kid: string;
  readonly ep: number;
  readonly seq: number;
  readonly prev: string;
  readonly id: string;
  readonly iat: number;
  readonly exp: number;
  readonly pc: string;
  /** In `e` and `h`. */
  readonly dir?: Head;
  readonly mem?: Head;
  /** In `e`. */
  readonly kc?: string;
  readonly hist?: string;
  /** In `h`: how many frames the routine and the flash chain had, and the hash of the last. */
  readonly heads?: { readonly routine: Head; readonly flash: Head };
}

export interface Frame {
  readonly header: Header;
  /** SHA-256 of the whole message, in hex. */
  readonly hash: string;
  /** The bytes that stand in the message. */
  readonly head: Uint8Array;
  readonly signature: Uint8Array;
  readonly body: Uint8Array;
}

const NUMBER = "(0|[1-9][0-9]{0,15})";
const HASH = "([0-9a-f]{64})";
const CITED = `\\[${NUMBER},"${HASH}"\\]`;
const UUID = "([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})";
/** The header has one form only, so one expression is the whole grammar. */
const HEADER = new RegExp(
  '^\\{"v":1,"k":"([bceh])","rl":"(live|exercise)","pr":"(routine|flash)","com":"([0-9a-f]{32})"' +
    `,"pub":"(A[A-Z2-7]{55})","kid":"([0-9a-f]{32})","ep":${NUMBER},"seq":${NUMBER},"prev":"${HASH}"` +
    `,"id":"${UUID}","iat":${NUMBER},"exp":${NUMBER},"pc":"${HASH}"` +
    `(?:,"dir":${CITED},"mem":${CITED}` +
    `(?:,"kc":"${HASH}","hist":"(none|members)"|,"heads":\\[${CITED},${CITED}\\]))?\\}$`,
);

const OVERHEAD = NONCE_SIZE + SALT_SIZE + LENGTH_SIZE + TAG_SIZE;

/** The padded rooms of a payload, least first. */
export const ROOMS: readonly number[] = (function () {
  const rooms = [PAYLOAD_ROOM_MIN];
  while ((rooms.at(-1) as number) < PAYLOAD_MAX) rooms.push(2 * (rooms.at(-1) as number));
  return rooms;
})();
export const BODY_SIZES: ReadonlySet<number> = new Set(ROOMS.map((room) => room + OVERHEAD));

/** Throws `too_large`, `truncated`, `bad_version`, `bad_header`, `bad_padding`, `body_unexpected`. */
export function parseFrame(data: Uint8Array): Frame {
  demand(data.length <= FRAME_MAX, "too_large", "more than a frame can have");
  demand(data.length >= 3, "truncated", "shorter than a frame's prefix");
  const [version, high, low] = data as unknown as [number, number, number];
  demand(version === 1, "bad_version", "another version than 1");
  const end = 3 + 256 * high + low;
  demand(end - 3 <= HEADER_MAX, "too_large", "a header beyond its limit");
  demand(data.length >= end + SIGNATURE_SIZE, "truncated", "ends before its signature does");
  const head = data.slice(3, end);
  const header = parseHeader(head);
  const body = data.slice(end + SIGNATURE_SIZE);
  if (header.kind === "b" || header.kind === "c") demand(BODY_SIZES.has(body.length), "bad_padding", "no padded size");
  else demand(body.length === 0, "body_unexpected", "a body where there must be none");
  return { header, hash: toHex(sha256(data)), head, signature: data.slice(end, end + SIGNATURE_SIZE), body };
}

export function signedBy(frame: Frame, key: Uint8Array): boolean {
  return verify(key, pae(FRAME_TYPE, concat(frame.head, sha256(frame.body))), frame.signature);
}

/** Throws `bad_header`. */
export function parseHeader(data: Uint8Array): Header {
  // Byte by byte: what is not ASCII matches nothing.
  const found = HEADER.exec(Array.from(data, (byte) => String.fromCharCode(byte)).join(""));
  demand(found !== null, "bad_header", "not a header of this text");
  const [, kind, realm, precedence, community, publisher, kid, ep, seq, prev, id, iat, exp, pc, ...cited] =
    found as unknown as [string, Header["kind"], ...string[]];
  const place = { realm, precedence, community, publisher } as unknown as Place;
  const numbers = { ep: number(ep), seq: number(seq), iat: number(iat), exp: number(exp) };
  const header = { kind, ...place, kid, ...numbers, prev, id, pc, ...citations(kind, cited) } as Header;
  demand((header.seq === 0) === (header.prev === ZEROS), "bad_header", "a past exactly where there is one");
  const sealed = kind === "b" || kind === "c";
  demand(sealed === (header.pc !== ZEROS), "bad_header", "a commitment exactly where there is a plaintext");
  return header;
}

/** The fields of `e` and `h`, from the groups that matched. */
function citations(kind: string, groups: (string | undefined)[]): Partial<Header> {
  const [dirSize, dirRoot, memSize, memRoot, kc, hist, routine, routineHash, flash, flashHash] = groups;
  const meant = kind === "e" ? kc !== undefined : kind === "h" ? routine !== undefined : dirSize === undefined;
  demand(meant, "bad_header", "not the fields of its kind");
  if (dirSize === undefined) return {};
  const both = { dir: cite(dirSize, dirRoot), mem: cite(memSize, memRoot) };
  if (kc !== undefined && hist !== undefined) return { ...both, kc, hist };
  const heads = { routine: cite(routine, routineHash), flash: cite(flash, flashHash) };
  for (const head of [heads.routine, heads.flash]) {
    demand((head.size === 0) === (head.root === ZEROS), "bad_header", "a past exactly where there is one");
  }
  return { ...both, heads };
}

function cite(size: string | undefined, root: string | undefined): Head {
  return { size: number(size), root: root as string };
}

function number(digits: string | undefined): number {
  const value = Number(digits);
  demand(Number.isSafeInteger(value), "bad_header", "an integer beyond its limit");
  return value;
}
