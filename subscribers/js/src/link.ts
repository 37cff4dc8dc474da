/** A connection to the hub over WebSocket: the endpoint's two durables, pulled, and its submissions. */

import { createInbox, wsconnect, type Auth, type Msg, type NatsConnection, type WsConnectionOptions } from "@nats-io/nats-core";

import { bytes, toBase64 } from "./encoding.js";
import type { Signer } from "./keys_document.js";

/** Makes a WebSocket. */
export type Socket = NonNullable<WsConnectionOptions["wsFactory"]>;
export type Stream = "DIRECTORY" | "TRAFFIC";

const BATCH = 256;
/** In a millisecond. */
const NANOSECONDS = 1_000_000;
/** How much longer than its request the server may take, in milliseconds. */
const GRACE = 5_000;
const ANSWER = 10_000;

/** A message that was pulled; acknowledge it once it is kept. */
export interface Pulled {
  readonly subject: string;
  readonly data: Uint8Array<ArrayBuffer>;
  readonly sequence: number;
  ack(): void;
}

export class Link {
  private constructor(
    private readonly nc: NatsConnection,
    private readonly endpoint: string,
  ) {}

  /** `socket` makes the WebSocket where the platform has none of its own. */
  static async open(
    servers: readonly string[],
    endpoint: string,
    jwt: string,
    user: Signer,
    socket?: Socket,
  ): Promise<Link> {
    const authenticator = (nonce?: string): Auth =>
      ({ jwt, nkey: "", sig: toBase64(user.sign(bytes(nonce ?? ""))) }) as Auth;
    const options: WsConnectionOptions = {
      servers: [...servers],
      authenticator,
      reconnect: false,
      name: `liaison-reader ${endpoint.slice(0, 8)}`,
      ...(socket ? { wsFactory: socket } : {}),
    };
    return new Link(await wsconnect(options), endpoint);
  }

  /**
   * The next messages of a durable in their order, at most `BATCH`. With `wait` milliseconds: as soon as one is there,
   * else none when the time is over.
   */
  async pull(stream: Stream, wait = 0): Promise<Pulled[]> {
    const inbox = createInbox();
    const subscription = this.nc.subscribe(inbox);
    const asked = wait > 0 ? { batch: 1, expires: wait * NANOSECONDS } : { batch: BATCH, no_wait: true };
    const late = setTimeout(() => subscription.unsubscribe(), wait + GRACE);
    this.nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${this.endpoint}`, JSON.stringify(asked), { reply: inbox });
    const found: Pulled[] = [];
    try {
      for await (const message of subscription) {
        if (message.headers?.code) break; // a status: the end of the request
        found.push(this.pulled(message));
        if (found.length === asked.batch) break;
      }
    } finally {
      clearTimeout(late);
      subscription.unsubscribe();
    }
    return found;
  }

  /** Hand in a directory document; it is stored, not yet admitted, when this returns. */
  async submit(subject: string, data: Uint8Array): Promise<void> {
    await this.nc.request(subject, data, { timeout: ANSWER });
  }

  /** Ends when the connection does; why, if it was not closed from here. */
  closed(): Promise<Error | void> {
    return this.nc.closed();
  }

  async close(): Promise<void> {
    await this.nc.drain();
  }

  private pulled(message: Msg): Pulled {
    // $JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>...
    const sequence = Number(message.reply?.split(".")[5]);
    return {
      subject: message.subject,
      data: message.data.slice() as Uint8Array<ArrayBuffer>,
      sequence,
      ack: () => void message.respond(),
    };
  }
}
