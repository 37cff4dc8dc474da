/** FORMAT.md, "Frame", Authentic: frames that a later one of a batch has as its past. */

import type { Bound, Directory } from "./directory.js";
import { Refusal } from "./errors.js";
import { parseFrame, signedBy, type Frame } from "./frame.js";

/** Whether `one` stands directly before `other`. */
function before(one: Frame, other: Frame): boolean {
  const [a, b] = [one.header, other.header];
  const chained = a.publisher === b.publisher && a.community === b.community && a.precedence === b.precedence;
  return chained && b.seq === a.seq + 1 && b.prev === one.hash;
}

/**
 * For each message the version of the key by whose signature a later message of the batch vouches for it; 0 where
 * none does. A key that is `believed` vouches for frames of its endpoint's keys up to its own version.
 */
export function vouched(
  directory: Directory,
  messages: readonly Uint8Array[],
  believed: (key: Bound) => boolean,
): number[] {
  const versions: number[] = [];
  /** By the hash that they cite: frames that are authentic, and the version that they rely on. */
  const citing = new Map<string, { frame: Frame; version: number }[]>();
  for (const message of messages.toReversed()) {
    const frame = parsed(message);
    const bound = frame && directory.signing.get(frame.header.kid);
    if (!frame || bound?.endpoint !== frame.header.publisher) {
      versions.unshift(0);
      continue;
    }
    const later = (citing.get(frame.hash) ?? []).filter((each) => before(frame, each.frame));
    const best = Math.max(0, ...later.map((each) => each.version));
    versions.unshift(best >= bound.version ? best : 0);
    const speaks = best < bound.version && !bound.revoked && believed(bound);
    const own = speaks && signedBy(frame, bound.key) ? bound.version : 0;
    const version = Math.max(versions[0] as number, own);
    if (version > 0) citing.set(frame.header.prev, [...(citing.get(frame.header.prev) ?? []), { frame, version }]);
  }
  return versions;
}

function parsed(message: Uint8Array): Frame | undefined {
  try {
    return parseFrame(message);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
