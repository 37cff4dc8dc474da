/** Everything that comes to an endpoint, by its subject: what there is to tell of each message. No I/O. */

import { Directory } from "./directory.js";
import { toHex, type JsonObject } from "./encoding.js";
import { demand, Refusal, type Code } from "./errors.js";
import { Heads } from "./heads.js";
import { Receiver, type Verdict } from "./receiver.js";
import { readReceipt } from "./receipts.js";
import { openReply } from "./replies.js";
import type { Entry } from "./files.js";
import { sha256 } from "./signatures.js";
import { DOCUMENTS, HEADS, membershipSubject, operationSubject, receiptSubject, wrapSubject } from "./subjects.js";
import { acceptWrap, type KemKey } from "./wraps.js";

interface From {
  readonly community: string;
  readonly publisher: string;
  readonly seq: number;
}

/** What is told; each is printed as one line of JSON. */
export type Told =
  /** `originator`: whose it is, where another agency's was carried on. */
  | ({ event: "bulletin"; agency: string; originator: string | null; slug: string | null; expired: boolean; bulletin: JsonObject } & From)
  /** An answer to a bulletin of ours, sealed to us. */
  | ({ event: "reply"; agency: string; slug: string | null; expired: boolean; bulletin: JsonObject } & From)
  | ({ event: "gap"; from: number; to: number } & From)
  /** A heartbeat names frames that have not come. */
  | { event: "behind"; chains: string[] }
  | { event: "skipped"; code: Code; subject: string }
  | { event: "refused"; code: Code; subject: string; reason: string };

/** A frame that cites a longer log than has been read: to be given again. */
export class Waits {
  constructor(readonly log: "directory" | "membership") {}
}

export class Reader {
  private receiver: Receiver | undefined;
  private heads: Heads | undefined;
  private readonly slugs = new Map<string, string>();
  /** SHA-256 of each membership entry: the hub goes back to the first of a community for whoever joins it. */
  private readonly entries = new Set<string>();

  constructor(
    private readonly fingerprint: Uint8Array,
    private readonly endpoint: string,
    private readonly kem: KemKey,
  ) {}

  /** Undefined before the first document has come. */
  get directory(): Directory | undefined {
    return this.receiver?.directory;
  }

  async take({ subject, data, at }: Entry): Promise<Told[] | Waits> {
    try {
      if (subject.startsWith("f.")) return await this.frame(subject, data, at);
      if (subject === wrapSubject(this.endpoint)) return await this.wrap(data);
      if (subject === receiptSubject(this.endpoint)) return this.receipt(data);
      if (subject === operationSubject(this.endpoint)) return []; // for who runs a node
      if (subject !== HEADS) this.entry(subject, data);
      else if (this.known()) this.heads?.take(data, at);
      return [];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.code === "already_known") return [];
      return [{ event: "refused", code: error.code, subject, reason: error.message }];
    }
  }

  private entry(subject: string, data: Uint8Array): void {
    if (subject !== DOCUMENTS) {
      membershipSubject(subject);
      const hash = toHex(sha256(data));
      demand(!this.entries.has(hash), "already_known", "an entry that is there already");
      this.known().directory.applyMembership(data);
      this.entries.add(hash);
    } else if (this.receiver === undefined) {
      const directory = Directory.pinned(data, this.fingerprint);
      this.heads = new Heads(directory, this.fingerprint);
      this.receiver = new Receiver(directory, this.endpoint, this.heads);
    } else {
      this.receiver.directory.apply(data);
    }
  }

  private async wrap(data: Uint8Array<ArrayBuffer>): Promise<Told[]> {
    const receiver = this.known();
    receiver.give((await acceptWrap(data, receiver.announced, this.kem, this.endpoint)).key);
    return [];
  }

  private receipt(data: Uint8Array): Told[] {
    const hub = this.known().directory.hub;
    if (hub === undefined) throw new Refusal("bad_receipt", "the directory names no hub");
    readReceipt(data, this.endpoint, hub.key);
    return [];
  }

  private async frame(subject: string, data: Uint8Array, at: number): Promise<Told[] | Waits> {
    const verdict = this.known().judge(subject, data, at);
    switch (verdict.verdict) {
      case "log_behind":
        return new Waits(verdict.log);
      case "skipped":
        return [{ event: "skipped", code: verdict.code, subject }];
      case "refused":
        return [{ event: "refused", code: verdict.code, subject, reason: verdict.reason }];
      default:
        return await this.accepted(verdict);
    }
  }

  private async accepted(
    verdict: Exclude<Verdict, { verdict: "log_behind" | "skipped" | "refused" }>,
  ): Promise<Told[]> {
    const { community, publisher, seq } = verdict.frame.header;
    const from = { community, publisher, seq };
    const told: Told[] = verdict.missing ? [{ event: "gap", ...from, ...verdict.missing }] : [];
    if (verdict.verdict === "carded") this.slugs.set(community, verdict.card.slug);
    if (verdict.verdict === "beat" && verdict.behind.length > 0) told.push({ event: "behind", chains: verdict.behind });
    if (verdict.verdict === "opened") {
      const { agency, expired, bulletin, original } = verdict;
      const originator = original?.agency ?? null;
      const slug = this.slugs.get(community) ?? null;
      told.push({ event: "bulletin", ...from, slug, agency, originator, expired, bulletin: bulletin.fields });
    }
    if (verdict.verdict === "sealed") {
      const { agency, code, expired, frame, reply } = verdict;
      const opened = await openReply(reply, frame.header, code, this.kem, this.endpoint);
      const slug = this.slugs.get(community) ?? null;
      if (opened && "bulletin" in opened) told.push({ event: "reply", ...from, slug, agency, expired, bulletin: opened.bulletin.fields });
    }
    return told;
  }

  private known(): Receiver {
    if (this.receiver === undefined) throw new Refusal("log_behind", "it came before the directory");
    return this.receiver;
  }
}
