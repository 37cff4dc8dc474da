/** FORMAT.md, "Directory": one append-only log of documents, each valid in the directory before it. */

import { equal, toHex } from "./encoding.js";
import { demand } from "./errors.js";
import { distinct } from "./fields.js";
import { parseDocument, type Document, type RootDocument } from "./documents.js";
import { Identities, signedBy } from "./identities.js";
import { Membership } from "./membership.js";
import { Log } from "./merkle.js";
import { DOCUMENT_MAX } from "./limits.js";
import { DIRECTORY_TYPE, keyId, parseEnvelope, sha256, signers, type Envelope } from "./signatures.js";

type Of<T extends Document["type"]> = Extract<Document, { type: T }>;

/** A signing key that is or was an endpoint's. */
export interface Bound {
  readonly endpoint: string;
  readonly agency: string;
  readonly key: Uint8Array;
  /** Of the `keys` document that bound it. */
  readonly version: number;
  /** How many documents the directory had with that one. */
  readonly since: number;
  /** How many it had with the `identity` document that its agency's key is from; 0 without one. */
  readonly replaced: number;
  revoked: boolean;
}

/** An endpoint as its last `keys` document has it. */
export interface Endpoint {
  readonly agency: string;
  readonly version: number;
}

/** Made by `pinned`; `apply` and `applyMembership` change nothing when they throw. */
export class Directory {
  readonly log = new Log();
  readonly agencies = new Map<string, Of<"agency">>();
  readonly endpoints = new Map<string, Endpoint>();
  /** By key id in hex. */
  readonly signing = new Map<string, Bound>();
  readonly communities = new Map<string, Membership>();
  readonly identities = new Identities();
  hub: Of<"hub"> | undefined;
  /** The endpoint that each encryption key belongs to, by key id in hex. */
  private readonly kem = new Map<string, string>();
  private readonly seen = new Set<string>();
  /** At which size each agency's identity was last replaced. */
  private readonly replaced = new Map<string, number>();

  private constructor(private current: RootDocument) {}

  /** The `root` document in force. */
  get root(): RootDocument {
    return this.current;
  }

  /** A directory of its first document alone. `fingerprint` was told by other means. Throws `root_mismatch`. */
  static pinned(data: Uint8Array, fingerprint: Uint8Array): Directory {
    const envelope = parseEnvelope(data, DIRECTORY_TYPE);
    const document = parseDocument(envelope);
    demand(document.type === "root" && document.version === 1, "root_mismatch", "not root version 1");
    demand(equal(sha256(data), fingerprint), "root_mismatch", "another root than the one that was told");
    sound(document, envelope);
    const directory = new Directory(document);
    directory.append(envelope);
    return directory;
  }

  apply(data: Uint8Array): void {
    demand(data.length <= DOCUMENT_MAX, "too_large", "a document beyond its limit");
    demand(!this.seen.has(toHex(sha256(data))), "already_known", "a document that is there already");
    const envelope = parseEnvelope(data, DIRECTORY_TYPE);
    const take = this.rule(envelope, parseDocument(envelope));
    this.append(envelope);
    take();
  }

  applyMembership(data: Uint8Array): void {
    Membership.apply(data, this.communities, this.agencies, this.identities);
  }

  private append(envelope: Envelope): void {
    this.seen.add(envelope.hash);
    this.log.append(envelope.raw);
  }

  /** What is left to do once the document stands in the log. */
  private rule(envelope: Envelope, document: Document): () => void {
    switch (document.type) {
      case "root":
        return this.takeRoot(envelope, document);
      case "hub":
        signedBy(envelope, this.root.registrar);
        next(document.version, this.hub?.version);
        apart(this.root, [document.key]);
        return () => (this.hub = document);
      case "agency":
        return this.takeAgency(envelope, document);
      case "keys":
        return this.takeKeys(envelope, document);
      case "revoke":
        return this.takeRevoke(envelope, document);
      case "community":
        return this.takeCommunity(envelope, document);
      case "replace":
        return this.identities.takeReplace(envelope, document, this.root);
      case "object":
        return this.identities.takeObject(envelope, document, this.root);
      case "identity":
        return this.takeIdentity(envelope, document);
    }
  }

  private takeRoot(envelope: Envelope, document: RootDocument): () => void {
    next(document.version, this.root.version);
    signedBy(envelope, this.root.root);
    sound(document, envelope);
    apart(document, this.hub ? [this.hub.key] : []);
    demand(document.cooldown >= this.root.cooldown, "bad_document", "a shorter cool-down");
    return () => (this.current = document);
  }

  private takeAgency(envelope: Envelope, document: Of<"agency">): () => void {
    signedBy(envelope, this.root.registrar);
    const before = this.agencies.get(document.id);
    next(document.version, before?.version);
    for (const other of this.agencies.values()) {
      const same = other.id === document.id;
      demand(same === (other.code === document.code), "bad_document", "another agency's code, or another code");
    }
    const take = this.identities.takeAgency(document);
    return () => {
      this.agencies.set(document.id, document);
      take();
    };
  }

  private takeIdentity(envelope: Envelope, document: Of<"identity">): () => void {
    const take = this.identities.takeIdentity(envelope, document);
    return () => {
      take();
      this.replaced.set(document.agency, this.log.size);
    };
  }

  private takeKeys(envelope: Envelope, document: Of<"keys">): () => void {
    this.signedByAgency(envelope, document.agency);
    const before = this.endpoints.get(document.endpoint);
    demand((before?.agency ?? document.agency) === document.agency, "bad_document", "another agency's endpoint");
    next(document.version, before?.version);
    const [kid, kem] = [toHex(keyId(document.signing)), toHex(keyId(document.kem))];
    demand(!this.signing.has(kid), "bad_key", "a signing key that was somebody's before");
    demand((this.kem.get(kem) ?? document.endpoint) === document.endpoint, "bad_key", "another's encryption key");
    const { agency, endpoint, version } = document;
    return () => {
      this.endpoints.set(endpoint, { agency, version });
      this.signing.set(kid, { endpoint, agency, key: document.signing, version, since: this.log.size, replaced: this.replaced.get(agency) ?? 0, revoked: false });
      this.kem.set(kem, endpoint);
    };
  }

  private takeRevoke(envelope: Envelope, document: Of<"revoke">): () => void {
    this.signedByAgency(envelope, document.agency);
    const bound = this.signing.get(document.kid);
    demand(bound?.agency === document.agency, "unknown_key", "not a key of this agency");
    demand(!bound.revoked, "already_known", "revoked already");
    return () => (bound.revoked = true);
  }

  private takeCommunity(envelope: Envelope, document: Of<"community">): () => void {
    const { id, owners, threshold, realm } = document;
    demand(!this.communities.has(id), "bad_document", "an id that is taken");
    demand(distinct(owners) && threshold <= owners.length, "bad_document", "owners twice, or too few");
    const keys = owners.map((owner) => this.identities.present(owner));
    demand(signers(envelope, keys) >= threshold, "below_threshold", "too few owners have signed");
    return () => this.communities.set(id, new Membership(id, realm, owners, threshold));
  }

  private signedByAgency(envelope: Envelope, id: string): void {
    demand(signers(envelope, [this.identities.present(id)]) === 1, "bad_signature", "not signed by the agency");
  }
}

function next(version: number, before: number | undefined): void {
  demand(version === (before ?? 0) + 1, "not_next", "not the next version");
}

/** A witness is worth something because it is somebody else. */
function apart(document: RootDocument, keys: readonly Uint8Array[]): void {
  const own = document.witnesses.some((witness) => keys.some((key) => equal(key, witness.key)));
  demand(!own, "bad_key", "a witness with a key of the secretariat or the hub");
}

/** Both roles of a root can be used, it is signed by its own, and its witnesses are others. */
function sound(document: RootDocument, envelope: Envelope): void {
  for (const role of [document.root, document.registrar]) {
    const keys = new Set(role.keys.map(toHex));
    const usable = keys.size === role.keys.length && keys.size >= role.threshold;
    demand(usable, "below_threshold", "a role with a key twice, or too few");
  }
  signedBy(envelope, document.root);
  const { witnesses, quorum } = document;
  const once = distinct(witnesses.map((each) => each.name)) && distinct(witnesses.map((each) => toHex(each.key)));
  demand(once && quorum <= witnesses.length, "bad_document", "a witness named twice, or too few of them");
  apart(document, [...document.root.keys, ...document.registrar.keys]);
}
