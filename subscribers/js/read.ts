/** Read the bulletins of an enrolled endpoint: `node build/read.js --help`. */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";

import { fromHex } from "./src/encoding.js";
import { signer } from "./src/keys_document.js";
import { Link } from "./src/link.js";
import { Reader, Waits } from "./src/reader.js";
import { Session } from "./src/session.js";
import { ready } from "./src/signatures.js";
import { Journal, readAdmission, readKey, Trouble } from "./src/state.js";
import { kemKey, publicKey } from "./src/wraps.js";

const HELP = `Read bulletins over WebSocket, and print them as lines of JSON.

  node build/read.js --state DIR --admission FILE --root-fingerprint HEX [--follow]

  --state             an agency's directory as \`liaison-agency init\` made it; its node must never have run
  --admission         what \`liaison-hub admit\` gave for it
  --root-fingerprint  SHA-256 of the root, as the secretariat says it
  --follow            go on until SIGINT or SIGTERM; else end when everything has been read
`;

async function main(): Promise<void> {
  const text = { type: "string", default: "" } as const;
  const flag = { type: "boolean", default: false } as const;
  const options = { state: text, admission: text, "root-fingerprint": text, follow: flag, help: flag };
  const { values } = parseArgs({ options });
  if (values.help || !values.state || !values.admission || !values["root-fingerprint"]) {
    process.stdout.write(HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  await ready;
  const admission = readAdmission(values.admission, values["root-fingerprint"]);
  const keys = join(values.state, "keys");
  const kem = await kemKey(readKey(keys, "encryption"));
  const reader = new Reader(fromHex(admission.fingerprint, 32), admission.endpoint, kem);
  const journal = new Journal(join(values.state, "reader.jsonl"));
  for (const entry of journal.entries()) {
    if ((await reader.take(entry)) instanceof Waits) continue; // it was refused, and told, then
  }
  const print = (told: object): void => void process.stdout.write(`${JSON.stringify(told)}\n`);
  const { websockets, endpoint, user_jwt: jwt, agency } = admission;
  const link = await Link.open(websockets, endpoint, jwt, signer(readKey(keys, "nats")), async (url) => ({
    socket: new WebSocket(url) as unknown as globalThis.WebSocket,
    encrypted: url.startsWith("wss:"),
  }));
  const session = new Session(link, reader, { now: Date.now, tell: print, keep: (entry) => journal.append(entry) });
  let ended = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => (ended = true));
  void link.closed().then(() => (ended = true));
  await session.drain();
  const own = { agency, endpoint, signing: signer(readKey(keys, "signing")).public, kem: await publicKey(kem) };
  await session.register(own, signer(readKey(keys, "identity")));
  print({ event: "ready", endpoint, directory: reader.directory?.log.size ?? 0 });
  await session.drain();
  if (values.follow) await session.follow(() => ended);
  await link.close();
  journal.close();
}

main().catch((error: unknown) => {
  const known = error instanceof Trouble || error instanceof Error;
  process.stderr.write(`${known ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
