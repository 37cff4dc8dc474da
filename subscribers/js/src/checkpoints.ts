/** FORMAT.md, "Checkpoints": the directory's head as its log and its witnesses sign it. */

import type { RootDocument, Witness } from "./documents.js";
import { keyName } from "./documents.js";
import { bytes, concat, equal, fromBase64, toBase64, toHex } from "./encoding.js";
import { demand, Refusal } from "./errors.js";
import { CLOCK_SKEW_MAX, HASH_SIZE, NOTE_MAX, NOTE_SIGNATURES_MAX, SIGNATURE_SIZE } from "./limits.js";
import type { Head } from "./merkle.js";
import { sha256, verify } from "./signatures.js";

const ORIGIN = "liaison/directory/";
const MARK = "\u2014 ";
const [LOG_KEY, WITNESS_KEY] = [1, 4];
const [KEY_HASH_SIZE, TIME_SIZE] = [4, 8];
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Where a head without a quorum stops being fresh: never. */
export const ALWAYS_FRESH = Number.MAX_SAFE_INTEGER;

interface NoteSignature {
  readonly name: string;
  readonly keyHash: Uint8Array;
  readonly signature: Uint8Array;
}

/** A checkpoint with its signatures, not yet verified. */
export interface Note {
  readonly origin: string;
  readonly head: Head;
  readonly signatures: readonly NoteSignature[];
}

/** What a note proves: when each witness that counts had this head, in milliseconds, newest first. */
export interface Cosigned {
  readonly head: Head;
  readonly times: readonly number[];
}

/** By what a note is judged: the documents in force at its size. */
export type Judges = Pick<RootDocument, "witnesses" | "quorum" | "freshness"> & { readonly hub: Uint8Array | undefined };

export const originOf = (fingerprint: Uint8Array): string => ORIGIN + toHex(fingerprint);

/** A note in its one form. Throws `too_large`, `bad_encoding`, `bad_checkpoint`. */
export function parseNote(data: Uint8Array): Note {
  demand(data.length <= NOTE_MAX, "too_large", "a checkpoint beyond its limit");
  const lines = decoded(data).split("\n");
  const signatures = lines.slice(4, -1);
  const form = signatures.length >= 1 && lines[3] === "" && lines.at(-1) === "";
  demand(form, "bad_checkpoint", "not three lines, a blank one and signatures");
  const [origin, size, root] = lines as [string, string, string];
  demand(keyName(origin) && isSize(size), "bad_checkpoint", "no origin and size of a log");
  const hash = fromBase64(root, HASH_SIZE);
  demand(hash.length === HASH_SIZE, "bad_checkpoint", "not a root");
  demand(signatures.length <= NOTE_SIGNATURES_MAX, "bad_checkpoint", "too many signatures");
  return { origin, head: { size: Number(size), root: hash }, signatures: signatures.map(parseSignature) };
}

/** What a note of the log `origin` proves. Throws `bad_checkpoint`, `witness_shortfall`. */
export function checkNote(note: Note, origin: string, judges: Judges): Cosigned {
  const { hub, witnesses, quorum } = judges;
  demand(note.origin === origin, "bad_checkpoint", "of another log");
  const byLog = hub && signaturesBy(note, origin, LOG_KEY, hub).some((each) => verify(hub, body(note), each));
  demand(byLog === true, "bad_checkpoint", "not signed by the log");
  const times = witnesses.map((each) => newest(note, each)).filter((each) => each !== undefined);
  demand(times.length >= quorum, "witness_shortfall", "too few witnesses have signed");
  return { head: note.head, times: times.sort((one, other) => other - one) };
}

/** From when on the head is stale, in milliseconds. */
export function freshUntil(cosigned: Cosigned, { quorum, freshness }: Pick<Judges, "quorum" | "freshness">): number {
  if (quorum === 0) return ALWAYS_FRESH;
  return Math.min((cosigned.times[quorum - 1] as number) + freshness, ALWAYS_FRESH);
}

export function demandFresh(until: number, now: number): void {
  demand(now < until, "stale_head", "the newest head is too old");
}

/** That a quorum's time is not ahead of ours by more than clocks differ. */
export function demandNotAhead(cosigned: Cosigned, quorum: number, now: number): void {
  const time = quorum > 0 ? (cosigned.times[quorum - 1] as number) : 0;
  demand(time <= now + CLOCK_SKEW_MAX, "from_the_future", "signed at a time that has not come");
}

function decoded(data: Uint8Array): string {
  try {
    return decoder.decode(data);
  } catch {
    throw new Refusal("bad_checkpoint", "not UTF-8");
  }
}

const isSize = (text: string): boolean => /^(?:0|[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(Number(text));

function parseSignature(line: string): NoteSignature {
  const [dash, name = "", ...rest] = line.split(" ");
  demand(dash === MARK.trim() && keyName(name), "bad_checkpoint", "no signature line");
  const data = fromBase64(rest.join(" "), KEY_HASH_SIZE + TIME_SIZE + SIGNATURE_SIZE);
  const signature = data.slice(KEY_HASH_SIZE);
  const sized = [SIGNATURE_SIZE, TIME_SIZE + SIGNATURE_SIZE].includes(signature.length);
  demand(sized, "bad_checkpoint", "a signature of neither the log nor a witness");
  return { name, keyHash: data.slice(0, KEY_HASH_SIZE), signature };
}

const body = ({ origin, head }: Note): Uint8Array => bytes(`${origin}\n${head.size}\n${toBase64(head.root)}\n`);

function signaturesBy(note: Note, name: string, type: number, key: Uint8Array): Uint8Array[] {
  const own = sha256(bytes(`${name}\n`), Uint8Array.of(type), key).slice(0, KEY_HASH_SIZE);
  return note.signatures.filter((each) => each.name === name && equal(each.keyHash, own)).map((each) => each.signature);
}

/** The newest time in milliseconds at which a witness signed, however often it did. */
function newest(note: Note, witness: Witness): number | undefined {
  const times = signaturesBy(note, witness.name, WITNESS_KEY, witness.key).flatMap((signature) => {
    const seconds = signature.slice(0, TIME_SIZE).reduce((sum, byte) => 256n * sum + BigInt(byte), 0n);
    const inRange = 1000n * seconds <= BigInt(ALWAYS_FRESH);
    const message = concat(bytes(`cosignature/v1\ntime ${seconds}\n`), body(note));
    return inRange && verify(witness.key, message, signature.slice(TIME_SIZE)) ? [1000 * Number(seconds)] : [];
  });
  return times.length > 0 ? Math.max(...times) : undefined;
}
