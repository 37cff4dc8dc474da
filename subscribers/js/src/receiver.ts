/** FORMAT.md, "Order of checks": what a reader makes of each message. Nothing here waits or reads a clock. */

import { vouched } from "./ancestry.js";
import { agrees, parseBulletin, type Bulletin } from "./bulletin.js";
import { chainKey, follow, type Chain, type Gap } from "./chain.js";
import { keyCommitment, openBody, parseCard, type Card } from "./content.js";
import { toHex } from "./encoding.js";
import { demand, Refusal, type Code } from "./errors.js";
import { parseFrame, signedBy, type Frame, type Head, type Header } from "./frame.js";
import type { Bound, Directory, Endpoint } from "./directory.js";
import type { Heads } from "./heads.js";
import type { Membership } from "./membership.js";
import { checkOnward, type Original } from "./onward.js";
import type { Named } from "./past.js";
import { isSealed, parseSealed, type SealedReply } from "./replies.js";
import { frameSubject } from "./subjects.js";

/** An epoch that was announced in a chain that we follow. */
export interface Epoch {
  /** SHA-256 of the announcement, in hex. */
  readonly announcement: string;
  readonly ep: number;
  readonly precedence: string;
  readonly commitment: string;
  readonly history: string;
  /** Whether its publisher had to send us the key. */
  readonly due: boolean;
}

interface Placed {
  readonly frame: Frame;
  readonly missing: Gap | null;
  readonly expired: boolean;
}

export type Verdict =
  /** `original`: of what was released onward, once that is shown to be its originator's. */
  | ({ verdict: "opened"; payload: Uint8Array; bulletin: Bulletin; agency: string; original?: Original } & Placed)
  /** A reply to an originator alone: `openReply` tells whether it is for us. `code` is its agency's. */
  | ({ verdict: "sealed"; reply: SealedReply; agency: string; code: string } & Placed)
  | ({ verdict: "carded"; card: Card } & Placed)
  | ({ verdict: "announced"; epoch: Epoch } & Placed)
  /** `behind`: keys of chains of which a tail is missing. */
  | ({ verdict: "beat"; behind: string[] } & Placed)
  /** Authentic, but not for us: from before our anchor or our membership. */
  | { verdict: "skipped"; code: Code; moves: boolean }
  /** To be judged again once this log has come further; nothing has changed. */
  | { verdict: "log_behind"; log: "directory" | "membership"; size: number }
  | { verdict: "refused"; code: Code; reason: string; moves: boolean };

class Behind extends Error {
  constructor(
    readonly log: "directory" | "membership",
    readonly size: number,
  ) {
    super(`the ${log} log has not come far enough`);
  }
}

class Skip extends Error {
  constructor(readonly code: Code) {
    super(code);
  }
}

export class Receiver {
  /** Epochs whose announcements were accepted, by the hash of those frames (hex): what wraps are for. */
  readonly announced = new Map<string, Epoch>();
  private readonly chains = new Map<string, Chain>();
  private readonly epochs = new Map<string, Epoch>();
  /** By key commitment. */
  private readonly keys = new Map<string, Uint8Array>();
  /** By chain: the hashes that are known of some numbers before their frames have come. */
  private readonly pins = new Map<string, ReadonlyMap<number, string>>();

  /** `heads` tells of keys that are not believed yet; without them every key of the directory is. */
  constructor(
    readonly directory: Directory,
    private readonly endpoint: string,
    private readonly heads?: Heads,
  ) {}

  private get us(): Endpoint | undefined {
    return this.directory.endpoints.get(this.endpoint);
  }

  /** An epoch's key, from a wrap that was accepted. */
  give(key: Uint8Array): void {
    this.keys.set(keyCommitment(key), key);
  }

  /** A frame as it stood under `subject`, at `now` (Unix milliseconds). Throws nothing for what is in it. */
  judge(subject: string, data: Uint8Array, now: number): Verdict {
    return this.judgeVouched(subject, data, now, 0);
  }

  /** The verdicts on messages that came together, with a backlog behind them: one signature for each unbroken run. */
  judgeBacklog(messages: readonly (readonly [subject: string, data: Uint8Array])[], now: number): Verdict[] {
    const believed = (key: Bound): boolean => !this.heads?.withholds(key, now);
    const versions = vouched(this.directory, messages.map(([, data]) => data), believed);
    return messages.map(([subject, data], index) => this.judgeVouched(subject, data, now, versions[index] ?? 0));
  }

  /** Let no other frames stand in these places of a chain. */
  pin({ publisher, community, precedence }: Named, hashes: ReadonlyMap<number, string>): void {
    this.pins.set(chainKey(publisher, community, precedence), hashes);
  }

  /** Old frames of a chain before its `anchor`: each must be signed, whoever vouches for it. */
  judgePast(
    messages: readonly (readonly [subject: string, data: Uint8Array])[],
    anchor: Uint8Array | undefined,
    now: number,
  ): Verdict[] {
    const believed = (key: Bound): boolean => !this.heads?.withholds(key, now);
    const batch = [...messages.map(([, data]) => data), ...(anchor ? [anchor] : [])];
    const versions = vouched(this.directory, batch, believed);
    return messages.map(([subject, data], at) => this.judgeVouched(subject, data, now, versions[at] ?? 0, true));
  }

  /** To whom the epoch of a frame is open, `none` or `members`, if it was announced in its chain. */
  historyOf(header: Header): string | undefined {
    const epoch = this.epochs.get(epochKey(header));
    return epoch?.precedence === header.precedence ? epoch.history : undefined;
  }

  private judgeVouched(subject: string, data: Uint8Array, now: number, version: number, signed = false): Verdict {
    let placed: Placed | undefined;
    try {
      const frame = this.authentic(subject, data, version, now, signed);
      const { missing } = this.place(frame);
      placed = { frame, missing, expired: frame.header.exp <= now };
      return this.read(placed);
    } catch (error) {
      const moves = placed !== undefined;
      if (error instanceof Behind) return { verdict: "log_behind", log: error.log, size: error.size };
      if (error instanceof Skip) return { verdict: "skipped", code: error.code, moves };
      if (error instanceof Refusal) return { verdict: "refused", code: error.code, reason: error.message, moves };
      throw error;
    }
  }

  /** Everything before the chain. */
  private authentic(subject: string, data: Uint8Array, vouching: number, now: number, signed: boolean): Frame {
    const frame = parseFrame(data);
    const { header } = frame;
    const place = frameSubject(subject);
    for (const name of ["realm", "community", "precedence", "publisher"] as const) {
      demand(place[name] === header[name], "subject_mismatch", "header and subject disagree");
    }
    const agency = this.signed(frame, vouching, now, signed);
    const community = this.directory.communities.get(header.community);
    // The two feeds are not ordered: it may be in what we have not read.
    const behind = header.dir !== undefined && header.dir.size > this.directory.log.size;
    if (community === undefined && behind) throw new Behind("directory", header.dir.size);
    demand(community !== undefined, "unknown_community", "the directory has no such community");
    demand(community.realm === header.realm, "wrong_realm", "the community belongs to the other realm");
    if (header.dir && header.mem) this.cited(community, header.dir, header.mem);
    const role = community.roleAt(agency, header.iat);
    // The hub gives frames to members: a log in which we have never been has not come far enough to refuse.
    const joining = role !== "member" && !community.mentions(this.us?.agency ?? "");
    if (joining) throw new Behind("membership", community.log.size + 1);
    demand(role !== undefined, "not_member", "the agency is not in the community");
    demand(role === "member", "read_only_member", "the agency may only read there");
    const owner = header.kind !== "c" || community.owners.includes(agency);
    demand(owner, "not_member", "a card by an agency that is no owner");
    return frame;
  }

  /** That both logs had the cited heads, and then that they have come so far. */
  private cited(community: Membership, dir: Head, mem: Head): void {
    for (const [log, head] of [[this.directory.log, dir], [community.log, mem]] as const) {
      const root = log.rootAt(head.size);
      demand(root === undefined || toHex(root) === head.root, "split_view", "a log never had the root that is cited");
    }
    if (dir.size > this.directory.log.size) throw new Behind("directory", dir.size);
    if (mem.size > community.log.size) throw new Behind("membership", mem.size);
  }

  /** The agency whose endpoint has signed, or a successor of whose key vouches for the frame. */
  private signed(frame: Frame, vouching: number, now: number, always: boolean): string {
    const { publisher, kid, dir } = frame.header;
    const bound = this.directory.signing.get(kid);
    const endpoint = this.directory.endpoints.get(publisher);
    // Perhaps the key is in what we have not read; nothing is believed yet.
    if (bound === undefined && dir && dir.size > this.directory.log.size) throw new Behind("directory", dir.size);
    demand(endpoint !== undefined, "unknown_publisher", "the endpoint has no keys in the directory");
    demand(bound?.endpoint === publisher, "unknown_key", "not a key of this endpoint");
    const vouchedFor = vouching >= bound.version;
    demand(vouchedFor || !bound.revoked, "revoked_key", "the key was revoked");
    demand((vouchedFor && !always) || signedBy(frame, bound.key), "bad_signature", "the signature does not hold");
    demand(!this.heads?.withholds(bound, now), "stale_head", "a key that no head vouches for yet");
    return endpoint.agency;
  }

  private place(frame: Frame): { missing: Gap | null } {
    const { publisher, community, precedence } = frame.header;
    const key = chainKey(publisher, community, precedence);
    const found = follow(this.chains.get(key), frame);
    if (found === undefined) throw new Skip("unknown_epoch");
    const pinned = this.pins.get(key)?.get(frame.header.seq) ?? frame.hash;
    demand(pinned === frame.hash, "fork", "another frame than is known to stand there");
    this.chains.set(key, found.chain);
    return { missing: found.missing };
  }

  private read(placed: Placed): Verdict {
    switch (placed.frame.header.kind) {
      case "e":
        return { verdict: "announced", epoch: this.announce(placed.frame), ...placed };
      case "h":
        return { verdict: "beat", behind: this.beat(placed.frame.header), ...placed };
      default:
        return this.open(placed);
    }
  }

  private announce(frame: Frame): Epoch {
    const { header, hash } = frame;
    const key = epochKey(header);
    demand(!this.epochs.has(key) && header.ep >= this.chainOf(header).anchor, "not_next", "not the next epoch");
    const epoch: Epoch = {
      announcement: hash,
      ep: header.ep,
      precedence: header.precedence,
      commitment: header.kc as string,
      history: header.hist as string,
      due: this.due(header),
    };
    this.epochs.set(key, epoch);
    this.announced.set(hash, epoch);
    return epoch;
  }

  /** Whether the cited membership log has us among the readers: then the publisher had to send us a wrap. */
  private due(header: Header): boolean {
    const { us } = this;
    const community = this.directory.communities.get(header.community) as Membership;
    return us !== undefined && community.roleAt(us.agency, header.iat, (header.mem as Head).size) !== undefined;
  }

  private beat(header: Header): string[] {
    const heads = header.heads as NonNullable<Header["heads"]>;
    const [own, other] = header.precedence === "routine" ? [heads.routine, heads.flash] : [heads.flash, heads.routine];
    demand(own.size === header.seq && own.root === header.prev, "fork", "it names another past than its own");
    const key = chainKey(header.publisher, header.community, header.precedence === "routine" ? "flash" : "routine");
    const chain = this.chains.get(key);
    if (chain === undefined || other.size < chain.seq + 1) return [];
    if (other.size > chain.seq + 1) return [key];
    demand(other.root === chain.hash, "fork", "it names another chain than was seen");
    return [];
  }

  private open(placed: Placed): Verdict {
    const { frame } = placed;
    const { header } = frame;
    const epoch = this.epochs.get(epochKey(header));
    if (epoch?.precedence !== header.precedence) {
      if (epoch === undefined && header.ep < this.chainOf(header).anchor) throw new Skip("unknown_epoch");
      throw new Refusal("unknown_epoch", "not announced in this chain");
    }
    const key = this.keys.get(epoch.commitment);
    if (key === undefined && !epoch.due) throw new Skip("missing_wrap");
    demand(key !== undefined, "missing_wrap", "a wrap was due and has not come");
    const payload = openBody(frame, key);
    if (header.kind === "c") return { verdict: "carded", card: parseCard(payload), ...placed };
    const agency = this.directory.endpoints.get(header.publisher)?.agency as string;
    const code = this.directory.agencies.get(agency)?.code as string;
    if (isSealed(payload)) {
      const apart = header.precedence === "routine" && epoch.history === "none";
      demand(apart, "content_mismatch", "a sealed reply as flash, or for later members");
      return { verdict: "sealed", reply: parseSealed(payload), agency, code, ...placed };
    }
    const bulletin = parseBulletin(payload);
    agrees(bulletin, header, epoch.history, code);
    const original = checkOnward(bulletin, { ...header, agency }, this.directory);
    return { verdict: "opened", payload, bulletin, agency, ...(original && { original }), ...placed };
  }

  private chainOf(header: Header): Chain {
    return this.chains.get(chainKey(header.publisher, header.community, header.precedence)) as Chain;
  }
}

const epochKey = (header: Header): string => `${header.publisher} ${header.community} ${header.ep}`;

