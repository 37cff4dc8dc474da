/** An endpoint that reads, wherever it runs: its journal first, then the hub. */

import { fromHex } from "./encoding.js";
import type { Admission, Entry } from "./files.js";
import { signer } from "./keys_document.js";
import { Link, type Socket } from "./link.js";
import { Reader, Waits, type Told } from "./reader.js";
import { Session } from "./session.js";
import { ready } from "./signatures.js";
import { kemKey, publicKey } from "./wraps.js";

/** Seeds by the name of their file. */
export type Seeds = Record<"encryption" | "identity" | "nats" | "signing", Uint8Array<ArrayBuffer>>;

export interface Place {
  /** What was kept in earlier runs. */
  readonly kept: Iterable<Entry>;
  readonly keep: (entry: Entry) => void | Promise<void>;
  /** `again`: it was told in an earlier run already. */
  readonly tell: (told: Told | Ready, again: boolean) => void;
  /** Makes the WebSocket where the platform has none of its own. */
  readonly socket?: Socket;
}

/** Everything that waited at the start has been read. */
export interface Ready {
  readonly event: "ready";
  readonly endpoint: string;
  readonly directory: number;
}

/** Read until `ended` says so, or to the end of what waits without it. */
export async function run(admission: Admission, seeds: Seeds, place: Place, ended?: () => boolean): Promise<void> {
  await ready;
  const { agency, endpoint, user_jwt: jwt, websockets } = admission;
  const kem = await kemKey(seeds.encryption);
  const reader = new Reader(fromHex(admission.fingerprint, 32), endpoint, kem);
  for (const entry of place.kept) {
    const told = await reader.take(entry);
    if (told instanceof Waits) continue; // it was refused, and told, then
    for (const each of told) place.tell(each, true);
  }
  const link = await Link.open(websockets, endpoint, jwt, signer(seeds.nats), place.socket);
  try {
    let lost = false;
    void link.closed().then(() => (lost = true));
    const tell = (told: Told): void => place.tell(told, false);
    const session = new Session(link, reader, { now: Date.now, tell, keep: place.keep });
    await session.drain();
    const own = { agency, endpoint, signing: signer(seeds.signing).public, kem: await publicKey(kem) };
    await session.register(own, signer(seeds.identity));
    place.tell({ event: "ready", endpoint, directory: reader.directory?.log.size ?? 0 }, false);
    await session.drain();
    if (ended) await session.follow(() => ended() || lost);
  } finally {
    await link.close();
  }
}
