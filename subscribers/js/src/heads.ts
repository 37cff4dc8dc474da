/** FORMAT.md, "Checkpoints": the newest head that the witnesses vouch for, and what a stale one stops. */

import { checkNote, freshUntil, originOf, parseNote, type Cosigned, type Judges } from "./checkpoints.js";
import type { Directory } from "./directory.js";
import { equal } from "./encoding.js";
import { demand, Refusal } from "./errors.js";

/** By how much the clocks of honest witnesses may differ, in milliseconds. */
const CLOCK_SKEW_MAX = 300_000;

export class Heads {
  private kept: Cosigned | undefined;
  private readonly origin: string;

  constructor(
    private readonly directory: Directory,
    fingerprint: Uint8Array,
  ) {
    this.origin = originOf(fingerprint);
  }

  /** Keep a head, if it is news. Throws `log_behind`, `split_view`, `rollback`, and as `checkNote`. */
  take(data: Uint8Array): void {
    const note = parseNote(data);
    const { size, root } = note.head;
    const had = this.directory.log.rootAt(size);
    const ours = had !== undefined && equal(had, root);
    const earlier = this.kept !== undefined && size < this.kept.head.size;
    let found: Cosigned;
    try {
      found = checkNote(note, this.origin, this.judges());
    } catch (error) {
      // Sent again from the log's past, when other witnesses or another key of the hub counted.
      if (error instanceof Refusal && ours && earlier) return;
      throw error;
    }
    demand(had !== undefined, "log_behind", "a head of more documents than have come");
    demand(ours, "split_view", "the witnesses vouch for another directory");
    if (earlier) this.demandNotBack(found);
    else if (size > (this.kept?.head.size ?? -1) || isNewer(found, this.kept)) this.kept = found;
  }

  /** Whether a key is not believed at `now`: it came, as document number `since`, behind a head that is stale. */
  withholds(since: number, now: number): boolean {
    return this.kept !== undefined && since > this.kept.head.size && now >= this.until(this.kept);
  }

  private until(kept: Cosigned): number {
    const judges = this.judges();
    return kept.times.length < judges.quorum ? 0 : freshUntil(kept, judges);
  }

  /** An honest witness never vouches for less than before, by more than clocks differ. */
  private demandNotBack(found: Cosigned): void {
    const { quorum } = this.directory.root;
    const [then, now] = [this.kept, found].map((each) => (quorum ? (each?.times[quorum - 1] ?? 0) : 0)) as [number, number];
    demand(now <= then + CLOCK_SKEW_MAX, "rollback", "the witnesses vouch for an older directory than before");
  }

  private judges(): Judges {
    const { witnesses, quorum, freshness } = this.directory.root;
    return { witnesses, quorum, freshness, hub: this.directory.hub?.key };
  }
}

/** Compared from the newest time on. */
function isNewer(found: Cosigned, kept: Cosigned | undefined): boolean {
  const at = found.times.findIndex((time, index) => time !== kept?.times[index]);
  return at >= 0 && (found.times[at] as number) > (kept?.times[at] ?? 0);
}
