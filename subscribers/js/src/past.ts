/** FORMAT.md, "History": what lies before a reader's anchor in a chain. */

import type { Gap } from "./chain.js";
import { type Code } from "./errors.js";
import { parseFrame, type Frame } from "./frame.js";
import type { Receiver, Verdict } from "./receiver.js";

/** Of an old frame: it has passed, waits for its key, is withheld by its originator, or is refused. */
export type Outcome =
  | { readonly outcome: "passed" | "waits" | "withheld" | "log_behind" }
  | { readonly outcome: "refused"; readonly code: Code };

/** The chain that is read. */
export interface Named {
  readonly publisher: string;
  readonly community: string;
  readonly precedence: string;
}

/**
 * Read the past of a chain: `messages` from its beginning on, in its order, before `anchor` where there is one.
 * `receiver` is for this chain and this reading alone: it never moves what is followed live.
 */
export function readPast(
  receiver: Receiver,
  chain: Named,
  messages: readonly Uint8Array[],
  anchor: Uint8Array | undefined,
  now: number,
): { outcomes: Outcome[]; missing: Gap[] } {
  const live = anchor && parseFrame(anchor);
  if (live) {
    const { seq, prev } = live.header;
    receiver.pin(chain, new Map([[seq - 1, prev], [seq, live.hash]]));
  }
  const realm = receiver.directory.communities.get(chain.community)?.realm ?? "live";
  const subject = `f.${realm}.${chain.community}.${chain.precedence}.${chain.publisher}`;
  const verdicts = receiver.judgePast(messages.map((data) => [subject, data] as const), anchor, now);
  const came = verdicts.flatMap((verdict, at) => (moved(verdict) ? [parseFrame(messages[at] as Uint8Array).header.seq] : []));
  const end = live?.header.seq ?? Math.max(-1, ...came) + 1;
  return {
    outcomes: verdicts.map((verdict, at) => outcomeOf(verdict, messages[at] as Uint8Array, receiver)),
    missing: gaps([...came.filter((seq) => seq < end).sort((one, other) => one - other), end]),
  };
}

function moved(verdict: Verdict): boolean {
  if (verdict.verdict === "skipped" || verdict.verdict === "refused") return verdict.moves;
  return verdict.verdict !== "log_behind";
}

function outcomeOf(verdict: Verdict, data: Uint8Array, receiver: Receiver): Outcome {
  if (verdict.verdict === "log_behind") return { outcome: "log_behind" };
  const code = verdict.verdict === "skipped" || verdict.verdict === "refused" ? verdict.code : undefined;
  // No wrap was due, whatever the membership says: a key that is not here is no alarm.
  if (code === "missing_wrap") return keyless(parseFrame(data), receiver);
  return verdict.verdict === "refused" ? { outcome: "refused", code: verdict.code } : { outcome: "passed" };
}

/** Cards of the past do not count. */
function keyless(frame: Frame, receiver: Receiver): Outcome {
  if (frame.header.kind === "c") return { outcome: "passed" };
  return { outcome: receiver.historyOf(frame.header) === "members" ? "waits" : "withheld" };
}

/** What lies between these numbers, which ascend from -1. */
function gaps(places: readonly number[]): Gap[] {
  return places.flatMap((to, index) => {
    const from = (places[index - 1] ?? -1) + 1;
    return from < to ? [{ from, to: to - 1 }] : [];
  });
}
