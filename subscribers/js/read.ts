/** Read the bulletins of an enrolled endpoint: `node build/read.js --help`. */

import { join } from "node:path";
import { parseArgs } from "node:util";
import { WebSocket } from "ws";

import { run } from "./src/run.js";
import { Journal, readAdmission, readKey } from "./src/state.js";

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
  const admission = readAdmission(values.admission, values["root-fingerprint"]);
  const keys = join(values.state, "keys");
  const seed = (name: string): Uint8Array<ArrayBuffer> => readKey(keys, name);
  const seeds = { encryption: seed("encryption"), identity: seed("identity"), nats: seed("nats"), signing: seed("signing") };
  const journal = new Journal(join(values.state, "reader.jsonl"));
  let ended = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => (ended = true));
  const place = {
    kept: journal.entries(),
    keep: (entry: Parameters<Journal["append"]>[0]): void => journal.append(entry),
    tell: (told: object, again: boolean): void => {
      if (!again) process.stdout.write(`${JSON.stringify(told)}\n`);
    },
    socket: async (url: string) => ({
      socket: new WebSocket(url) as unknown as globalThis.WebSocket,
      encrypted: url.startsWith("wss:"),
    }),
  };
  await run(admission, seeds, place, values.follow ? () => ended : undefined);
  journal.close();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
