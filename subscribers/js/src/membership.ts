/** FORMAT.md, "Membership": who reads and writes in one community. */

import { demandCanonical, parseJson } from "./encoding.js";
import { demand } from "./errors.js";
import { AGENCY_ID, COMMUNITY, HASH, matches, oneOf, record, whole } from "./fields.js";
import type { Identities } from "./identities.js";
import { DOCUMENT_MAX } from "./limits.js";
import { Log } from "./merkle.js";
import { MEMBERSHIP_TYPE, parseEnvelope, signers } from "./signatures.js";

export type Standing = "member" | "reader";

interface Entry {
  readonly com: string;
  readonly index: number;
  readonly prev: string;
  readonly op: "add" | "remove";
  readonly id: string;
  readonly role: Standing;
  readonly nbf: number;
}

const FORM = record({
  v: oneOf(1),
  com: matches(COMMUNITY),
  index: whole(0),
  prev: matches(HASH),
  issued: whole(0),
  op: oneOf("add", "remove"),
  id: matches(AGENCY_ID),
  role: oneOf("member", "reader"),
  nbf: whole(0),
});

/** A community and the log of its members. */
export class Membership {
  readonly log = new Log();
  private readonly entries: Entry[] = [];
  private last = "0".repeat(64);

  constructor(
    readonly id: string,
    readonly realm: string,
    readonly owners: readonly string[],
    readonly threshold: number,
  ) {}

  /** Take the next entry of one of `communities`, or throw and change nothing. */
  static apply(
    data: Uint8Array,
    communities: ReadonlyMap<string, Membership>,
    agencies: ReadonlyMap<string, unknown>,
    identities: Identities,
  ): void {
    demand(data.length <= DOCUMENT_MAX, "too_large", "an entry beyond its limit");
    const envelope = parseEnvelope(data, MEMBERSHIP_TYPE);
    const fields = parseJson(envelope.payload, DOCUMENT_MAX);
    demand(FORM(fields), "bad_document", "not a membership entry");
    demandCanonical(fields, envelope.payload);
    const entry = fields as unknown as Entry;
    const community = communities.get(entry.com);
    demand(community !== undefined, "unknown_community", "no such community");
    const follows = entry.index === community.entries.length && entry.prev === community.last;
    demand(follows, "not_next", "not the next entry");
    demand(agencies.has(entry.id), "unknown_agency", "no such agency");
    const keys = community.owners.map((owner) => identities.inLog(owner, entry.com, entry.index));
    demand(signers(envelope, keys) >= community.threshold, "below_threshold", "too few owners have signed");
    community.log.append(envelope.raw);
    community.entries.push(entry);
    community.last = envelope.hash;
  }

  /** The role of an agency at a time by the first `size` entries; undefined when it has none. */
  roleAt(agency: string, time: number, size = this.entries.length): Standing | undefined {
    const about = this.entries.slice(0, size).filter((entry) => entry.id === agency && entry.nbf <= time);
    const last = about.at(-1);
    return last?.op === "add" ? last.role : undefined;
  }

  /** Whether any entry is about an agency. */
  mentions(agency: string): boolean {
    return this.entries.some((entry) => entry.id === agency);
  }

  /** Everybody who has a role at a time. */
  members(time: number): Record<string, Standing> {
    const found: Record<string, Standing> = {};
    for (const { id } of this.entries) {
      const role = this.roleAt(id, time);
      if (role) found[id] = role;
    }
    return found;
  }
}
