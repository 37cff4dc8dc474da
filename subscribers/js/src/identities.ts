/** FORMAT.md, "Directory": an agency's identity keys, one after the other, and the replacement that waits. */

import { equal, toHex } from "./encoding.js";
import { demand } from "./errors.js";
import type { Document, Role, RootDocument } from "./documents.js";
import { DISPUTE_FACTOR } from "./limits.js";
import { signers, type Envelope } from "./signatures.js";

type Of<T extends Document["type"]> = Extract<Document, { type: T }>;

interface Held {
  readonly key: Uint8Array;
  /** From which entry of a community's log on it counts; from the first where the community is not named. */
  readonly since: ReadonlyMap<string, number>;
}

/** Each `take…` checks a document, and gives what is left to do once it stands in the log. */
export class Identities {
  private readonly held = new Map<string, Held[]>();
  private readonly waiting = new Map<string, Of<"replace">>();
  private readonly disputed = new Set<string>();
  private readonly used = new Set<string>();

  /** The key that counts now. Throws `unknown_agency`. */
  present(agency: string): Uint8Array {
    return (this.of(agency).at(-1) as Held).key;
  }

  /** The key that counts for an entry of a membership log. Throws `unknown_agency`. */
  inLog(agency: string, community: string, index: number): Uint8Array {
    return (this.of(agency).findLast((each) => (each.since.get(community) ?? 0) <= index) as Held).key;
  }

  takeAgency({ id, identity }: Of<"agency">): () => void {
    if (this.held.has(id)) {
      demand(equal(identity, this.present(id)), "bad_key", "an agency document that changes the identity key");
      return () => undefined;
    }
    this.unused(identity);
    return () => {
      this.held.set(id, [{ key: identity, since: new Map() }]);
      this.used.add(toHex(identity));
    };
  }

  takeReplace(envelope: Envelope, document: Of<"replace">, root: RootDocument): () => void {
    signedBy(envelope, root.registrar);
    const { agency, identity, issued, nbf } = document;
    this.of(agency);
    const disputed = this.disputed.has(agency);
    if (disputed) signedBy(envelope, root.root);
    demand(!this.waiting.has(agency), "not_next", "one is waiting already");
    demand(nbf >= issued + (disputed ? DISPUTE_FACTOR : 1) * root.cooldown, "too_early", "less than the cool-down");
    this.unused(identity);
    return () => {
      this.waiting.set(agency, document);
      this.used.add(toHex(identity));
    };
  }

  takeObject(envelope: Envelope, { agency, identity }: Of<"object">, root: RootDocument): () => void {
    this.pending(agency, identity);
    const back = holds(envelope, root.registrar);
    if (!back) {
      demand(!this.disputed.has(agency), "below_threshold", "a second objection");
      const own = signers(envelope, [this.present(agency)]) === 1;
      demand(own, "bad_signature", "signed neither by the agency nor by the registrars");
    }
    return () => {
      this.waiting.delete(agency);
      if (!back) this.disputed.add(agency);
    };
  }

  takeIdentity(envelope: Envelope, { agency, identity, issued, logs }: Of<"identity">): () => void {
    const { nbf } = this.pending(agency, identity);
    demand(signers(envelope, [identity]) === 1, "bad_signature", "not signed by the new key");
    const ordered = logs.every(({ com }, at) => at === 0 || (logs[at - 1]?.com ?? "") < com);
    demand(ordered, "bad_document", "communities twice or out of order");
    const agreed = issued >= nbf || signers(envelope, [this.present(agency)]) === 1;
    demand(agreed, "too_early", "the present key can still object");
    return () => {
      this.held.get(agency)?.push({ key: identity, since: new Map(logs.map(({ com, size }) => [com, size])) });
      this.waiting.delete(agency);
      this.disputed.delete(agency);
    };
  }

  private of(agency: string): Held[] {
    const found = this.held.get(agency);
    demand(found !== undefined, "unknown_agency", `no agency ${agency}`);
    return found;
  }

  private unused(key: Uint8Array): void {
    demand(!this.used.has(toHex(key)), "bad_key", "an identity key that was named before");
  }

  private pending(agency: string, key: Uint8Array): Of<"replace"> {
    this.of(agency);
    const found = this.waiting.get(agency);
    demand(found !== undefined && equal(found.identity, key), "unknown_key", "no replacement by this key is waiting");
    return found;
  }
}

/** Whether enough keys of a role have signed. */
export const holds = (envelope: Envelope, role: Role): boolean => signers(envelope, role.keys) >= role.threshold;

export function signedBy(envelope: Envelope, role: Role): void {
  demand(holds(envelope, role), "below_threshold", "too few signatures of the role");
}
