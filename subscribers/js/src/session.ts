/** One run of the reader: pull, judge, tell, keep, acknowledge. */

import { toHex } from "./encoding.js";
import type { Entry } from "./files.js";
import { keysDocument, type Binding, type Signer } from "./keys_document.js";
import type { Link, Pulled, Stream } from "./link.js";
import { Waits, type Reader, type Told } from "./reader.js";
import { keyId } from "./signatures.js";
import { documentSubmission } from "./subjects.js";

/** How long a frame may wait for a log that it is ahead of, and one pull for a message: milliseconds. */
const LOG_WAIT = 10_000;
const PULL_WAIT = 1_000;

export interface Surroundings {
  readonly now: () => number;
  readonly tell: (told: Told) => void;
  readonly keep: (entry: Entry) => void | Promise<void>;
}

export class Session {
  /** What was taken in this run: the hub gives a message again whose acknowledgement it has not seen in time. */
  private readonly taken: Record<Stream, Set<number>> = { DIRECTORY: new Set(), TRAFFIC: new Set() };

  constructor(
    private readonly link: Link,
    private readonly reader: Reader,
    private readonly around: Surroundings,
  ) {}

  /** Read both durables to their ends. */
  async drain(): Promise<void> {
    while (await this.some("DIRECTORY")) continue;
    while (await this.some("TRAFFIC")) while (await this.some("DIRECTORY")) continue;
  }

  /** Read what comes, until `ended` says so. The directory first: frames are judged by it. */
  async follow(ended: () => boolean): Promise<void> {
    while (!ended()) {
      await this.some("DIRECTORY");
      if (await this.some("TRAFFIC", PULL_WAIT)) await this.drain();
    }
  }

  /** Bind our keys to our endpoint, if the directory does not do so yet. `keys` have everything but the version. */
  async register(keys: Omit<Binding, "version" | "issued">, identity: Signer): Promise<void> {
    const known = (): boolean =>
      this.reader.directory?.signing.get(toHex(keyId(keys.signing)))?.endpoint === keys.endpoint;
    if (known()) return;
    const version = (this.reader.directory?.endpoints.get(keys.endpoint)?.version ?? 0) + 1;
    const document = keysDocument({ ...keys, version, issued: this.around.now() }, identity);
    await this.link.submit(documentSubmission(keys.endpoint), document);
    if (!(await this.until(known))) throw new Error("the hub has not taken our keys into the directory");
  }

  /** Whether there were any messages. */
  private async some(stream: Stream, wait = 0): Promise<boolean> {
    const pulled = await this.link.pull(stream, wait);
    for (const message of pulled) {
      if (!this.taken[stream].has(message.sequence)) await this.one(message);
      this.taken[stream].add(message.sequence);
      message.ack();
    }
    return pulled.length > 0;
  }

  /** Told before it is kept, and kept before it is acknowledged: a run that dies tells it again, and loses nothing. */
  private async one(message: Pulled): Promise<void> {
    const entry = { at: this.around.now(), subject: message.subject, data: message.data };
    let told = await this.reader.take(entry);
    if (told instanceof Waits) {
      await this.until(async () => !((told = await this.reader.take(entry)) instanceof Waits));
    }
    if (told instanceof Waits) {
      told = [{ event: "refused", code: "log_behind", subject: entry.subject, reason: `the ${told.log} log is behind` }];
    }
    for (const each of told) this.around.tell(each);
    await this.around.keep(entry);
  }

  /** Read the directory until something holds, for a while. */
  private async until(holds: () => boolean | Promise<boolean>): Promise<boolean> {
    const end = this.around.now() + LOG_WAIT;
    while (!(await holds())) {
      if (this.around.now() > end) return false;
      await this.some("DIRECTORY", PULL_WAIT);
    }
    return true;
  }
}
