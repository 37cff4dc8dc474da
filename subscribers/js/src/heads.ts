/** FORMAT.md, "Checkpoints": the newest head that the witnesses vouch for, and what a stale one stops. */

import { checkNote, demandNotAhead, freshUntil, originOf, parseNote, type Cosigned, type Judges } from "./checkpoints.js";
import type { Bound, Directory } from "./directory.js";
import { equal } from "./encoding.js";
import { demand, Refusal } from "./errors.js";
import { CLOCK_SKEW_MAX } from "./limits.js";

export class Heads {
  private kept: Cosigned | undefined;
  private readonly origin: string;

  constructor(
    private readonly directory: Directory,
    fingerprint: Uint8Array,
  ) {
    this.origin = originOf(fingerprint);
  }

  /** Keep a head, if it is news. Throws `log_behind`, `split_view`, `from_the_future`, `rollback`, and as `checkNote`. */
  take(data: Uint8Array, now: number): void {
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
    demandNotAhead(found, this.directory.root.quorum, now);
    if (earlier) this.demandNotBack(found);
    else if (size > (this.kept?.head.size ?? -1) || isNewer(found, this.kept)) this.kept = found;
  }

  /**
   * Whether a key is not believed at `now`: it came behind a head that is stale, or rests on an identity that was
   * replaced behind any head.
   */
  withholds(key: Bound, now: number): boolean {
    if (this.kept === undefined) return false;
    const { size } = this.kept.head;
    const unseen = key.replaced > size && this.directory.root.quorum > 0;
    return unseen || (key.since > size && now >= this.until(this.kept));
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
