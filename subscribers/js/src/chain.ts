/** FORMAT.md, "Chains": where a frame stands among its publisher's frames of one community and precedence. */

import { Refusal } from "./errors.js";
import type { Frame } from "./frame.js";

/** A chain that the reader follows, from its anchor on. */
export interface Chain {
  /** The epoch that the anchor announced. */
  readonly anchor: number;
  readonly seq: number;
  readonly hash: string;
}

/** The numbers of frames that were withheld: `from` to `to`, both missing. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export const chainKey = (publisher: string, community: string, precedence: string): string =>
  `${publisher} ${community} ${precedence}`;

/** The chain with this frame on it, and what is missing before it; undefined before the anchor. `fork`, `replayed`. */
export function follow(chain: Chain | undefined, frame: Frame): { chain: Chain; missing: Gap | null } | undefined {
  const { kind, seq, prev, ep } = frame.header;
  const { hash } = frame;
  if (chain === undefined) return kind === "e" ? { chain: { anchor: ep, seq, hash }, missing: null } : undefined;
  if (hash === chain.hash || seq < chain.seq) throw new Refusal("replayed", "seen before, or behind the head");
  const next = seq === chain.seq + 1;
  if (seq === chain.seq || (next && prev !== chain.hash)) throw new Refusal("fork", "another past than the one seen");
  return { chain: { ...chain, seq, hash }, missing: next ? null : { from: chain.seq + 1, to: seq - 1 } };
}
