/** Run one case of `tests/vectors`: what comes out is put as the case puts it. In Node and in browsers alike. */

import { parseBulletin } from "../src/bulletin.js";
import { bytes, concat, fromBase64, fromHex, toHex } from "../src/encoding.js";
import { checkNote, demandFresh, demandNotAhead, freshUntil, originOf, parseNote } from "../src/checkpoints.js";
import { chunkCount, fileParts, padded, tree, type Attachment } from "../src/chunks.js";
import { Directory } from "../src/directory.js";
import { parseEnrolment } from "../src/documents.js";
import type { Gap } from "../src/chain.js";
import { Refusal } from "../src/errors.js";
import { verifyFile } from "../src/exports.js";
import { Heads } from "../src/heads.js";
import { checkRequest, parseHandover, parsePage, parseRequest } from "../src/history.js";
import { checkOnward, type Published } from "../src/onward.js";
import { readOperation } from "../src/operations.js";
import { readPast } from "../src/past.js";
import { readReceipt } from "../src/receipts.js";
import { Receiver, type Verdict } from "../src/receiver.js";
import { openReply } from "../src/replies.js";
import { publicKey, ready, sha256 } from "../src/signatures.js";
import { acceptWrap, kemKey, parseBundle } from "../src/wraps.js";

export interface Base {
  /** What hubs answer with, in base64, by the names that cases use. */
  blobs?: Record<string, string>;
  fingerprint: string;
  agencies: Record<string, { endpoint: string; kem: string }>;
  documents: string[];
  entries: string[];
}

/** A case as its file has it: which fields there are depends on `op`. */
export interface Case {
  name: string;
  op: string;
  reader: string;
  now: number;
  keys?: string[];
  documents?: string[];
  entries?: string[];
  before?: [string, string][];
  message: [string, string];
  expect: object;
  [field: string]: unknown;
}

interface CheckpointCase {
  quorum: number;
  freshness: number;
  now: number;
  note: string;
  hub: string;
  witnesses: { name: string; key: string }[];
}

type Said = object;

const MESSAGE_MAX = 1 << 20;

export async function run(base: Base, given: Case): Promise<Said> {
  await ready;
  try {
    const operation = OPERATIONS[given.op];
    if (operation === undefined) throw new Error(`no operation ${given.op}`);
    return await operation(base, given);
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code };
    throw error;
  }
}

let verified: Directory | undefined;

/** What a case starts from. Judging frames changes no directory, so the cases that only do that share one. */
function held(base: Base, given: Case): Directory {
  if (given.documents !== undefined || given.entries !== undefined) return grown(base, given);
  verified ??= grown(base, given);
  return verified;
}

function grown(base: Base, given: Case): Directory {
  const [first, ...rest] = base.documents.map(bytes);
  const directory = Directory.pinned(first as Uint8Array, fromHex(base.fingerprint, 32));
  for (const each of [...rest, ...(given.documents ?? []).map(bytes)]) directory.apply(each);
  for (const each of [...base.entries, ...(given.entries ?? [])]) directory.applyMembership(bytes(each));
  return directory;
}

/** A receiver that has taken what came before. The keys of a case are there without wraps. */
function follow(base: Base, given: Case): Receiver {
  const directory = held(base, given);
  const heads = new Heads(directory, fromHex(base.fingerprint, 32));
  if (typeof given["note"] === "string") heads.take(fromBase64(given["note"], MESSAGE_MAX), given.now);
  const receiver = new Receiver(directory, endpoint(base, given), heads);
  for (const key of given.keys ?? []) receiver.give(fromHex(key, 32));
  for (const [subject, raw] of given.before ?? []) {
    const verdict = receiver.judge(subject, fromBase64(raw, MESSAGE_MAX), given.now);
    if (verdict.verdict === "refused") throw new Refusal(verdict.code, verdict.reason);
  }
  return receiver;
}

function agency(base: Base, given: Case): { endpoint: string; kem: string } {
  return base.agencies[given.reader] as { endpoint: string; kem: string };
}

const endpoint = (base: Base, given: Case): string => agency(base, given).endpoint;

const numbersOf = (gap: Gap | null): number[] =>
  gap ? Array.from({ length: gap.to - gap.from + 1 }, (_, at) => gap.from + at) : [];

function put(verdict: Verdict): Said {
  switch (verdict.verdict) {
    case "opened": {
      const { missing, expired } = verdict;
      return { verdict: "opened", sha256: toHex(sha256(verdict.payload)), missing: numbersOf(missing), expired };
    }
    case "sealed": {
      const { missing, expired, reply } = verdict;
      return { verdict: "sealed", readers: reply.keys.length, missing: numbersOf(missing), expired };
    }
    case "carded":
      return { verdict: "carded", slug: verdict.card.slug };
    case "announced":
      return { verdict: "announced", ep: verdict.epoch.ep, due: verdict.epoch.due };
    case "beat":
      return { verdict: "beat", behind: verdict.behind };
    case "refused":
      return { verdict: "refused", code: verdict.code, moves: verdict.moves };
    default:
      return verdict;
  }
}

const text = (given: Case, field: string): Uint8Array => bytes(given[field] as string);

const head = ({ log }: { log: { size: number; root: Uint8Array } }): Said => ({ size: log.size, root: toHex(log.root) });

const OPERATIONS: Record<string, (base: Base, given: Case) => Said | Promise<Said>> = {
  receive: (base, given) => {
    const [subject, raw] = given.message;
    return put(follow(base, given).judge(subject, fromBase64(raw, MESSAGE_MAX), given.now));
  },
  catch_up: (base, given) => {
    const messages = (given["messages"] as [string, string][]).map(
      ([subject, raw]) => [subject, fromBase64(raw, MESSAGE_MAX)] as const,
    );
    const receiver = follow(base, given);
    return { verdicts: receiver.judgeBacklog(messages, given.now).map(put) };
  },
  reply: async (base, given) => {
    const [subject, raw] = given.message;
    const verdict = follow(base, given).judge(subject, fromBase64(raw, MESSAGE_MAX), given.now);
    if (verdict.verdict !== "sealed") return put(verdict);
    const mine = await kemKey(fromHex(agency(base, given).kem, 32));
    const { reply, code } = verdict;
    const { header } = verdict.frame;
    const opened = await openReply(reply, header, code, mine, endpoint(base, given));
    if (opened === undefined) return { reply: null };
    if ("changes" in opened) {
      if (header.publisher === endpoint(base, given)) return { reply: null };
      return { report: toHex(sha256(opened.content)), changes: opened.changes.length };
    }
    return { reply: toHex(sha256(opened.content)), kind: opened.kind, target: opened.target };
  },
  wrap: async (base, given) => {
    const mine = await kemKey(fromHex(agency(base, given).kem, 32));
    const raw = fromBase64(given["wrap"] as string, MESSAGE_MAX);
    const found = await acceptWrap(raw, follow(base, given).announced, mine, endpoint(base, given));
    return { announcement: found.announcement, key: toHex(found.key) };
  },
  bundle: (_, given) => parseBundle(fromBase64(given["bundle"] as string, MESSAGE_MAX)),
  document: (base, given) => {
    const directory = grown(base, given);
    directory.apply(text(given, "document"));
    return head(directory);
  },
  pinned: (_, given) => head(Directory.pinned(text(given, "document"), fromHex(given["fingerprint"] as string, 32))),
  membership: (base, given) => {
    const directory = grown(base, given);
    directory.applyMembership(text(given, "entry"));
    const community = directory.communities.get(given["community"] as string);
    if (community === undefined) throw new Error("a case without its community");
    return { ...head(community), members: community.members(given.now) };
  },
  enrolment: (_, given) => ({ id: parseEnrolment(text(given, "request")) }),
  receipt: (_, given) => {
    const key = fromHex(given["key"] as string, 32);
    const answers = readReceipt(text(given, "receipt"), given["publisher"] as string, key);
    return { answers: answers.map((each) => [each.sha256, each.code]) };
  },
  operation: (_, given) => {
    const { kind, about, state, code } = readOperation(text(given, "record"), fromHex(given["key"] as string, 32));
    return { kind, about, state, code };
  },
  checkpoint: (_, given) => {
    const { quorum, freshness, now, note, hub, witnesses } = given as unknown as CheckpointCase;
    const judges = {
      quorum,
      freshness,
      hub: publicKey(hub),
      witnesses: witnesses.map(({ name, key }) => ({ name, key: publicKey(key) })),
    };
    const origin = originOf(fromHex(given["fingerprint"] as string, 32));
    const cosigned = checkNote(parseNote(fromBase64(note, MESSAGE_MAX)), origin, judges);
    const until = freshUntil(cosigned, judges);
    demandNotAhead(cosigned, quorum, now);
    demandFresh(until, now);
    const { head, times } = cosigned;
    return { size: head.size, root: toHex(head.root), times, fresh_until: until };
  },
  onward: (base, given) => {
    const place = given as unknown as Published;
    const original = checkOnward(parseBulletin(text(given, "bulletin")), place, held(base, given));
    return original ? { originator: original.agency, ref: original.bulletin.fields["ref"] } : {};
  },
  request: (base, given) => {
    const request = parseRequest(text(given, "request"));
    return { agency: checkRequest(request, held(base, given), given.now), epochs: request.epochs.length };
  },
  handover: (_, given) => {
    const { wraps, ...rest } = parseHandover(fromBase64(given["handover"] as string, MESSAGE_MAX));
    return { ...rest, epochs: wraps.size };
  },
  page: (_, given) => {
    const { last, more, frames } = parsePage(fromBase64(given["page"] as string, MESSAGE_MAX), given["after"] as number);
    return { last, more, sequences: frames.map((each) => each.sequence) };
  },
  past: (base, given) => {
    const [publisher, community, precedence] = given["chain"] as [string, string, string];
    const old = (given["frames"] as string[]).map((each) => fromBase64(each, MESSAGE_MAX));
    const anchor = given["anchor"] === undefined ? undefined : fromBase64(given["anchor"] as string, MESSAGE_MAX);
    const chain = { publisher, community, precedence };
    const { outcomes, missing } = readPast(follow(base, given), chain, old, anchor, given.now);
    return {
      outcomes: outcomes.map((each) => (each.outcome === "refused" ? `refused ${each.code}` : each.outcome)),
      missing: missing.map(({ from, to }) => [from, to + 1]),
    };
  },
  padded: (_, given) => {
    const sizes = given["sizes"] as number[];
    return { table: sizes.map((size) => [size, padded(size), chunkCount(size)]) };
  },
  tree: (_, given) => {
    const numbers = Array.from({ length: given["chunks"] as number }, (_, number) => number);
    const { root, lists } = tree(numbers.map((number) => sha256(fromHex(number.toString(16).padStart(8, "0"), 4))));
    return { root: toHex(root), lists: lists.length };
  },
  attachment: async (base, given) => {
    const names = given["hub"] as Record<string, string>;
    const attachment = given["attachment"] as Attachment;
    const parts: Uint8Array[] = [];
    const fetch = async (address: string): Promise<Uint8Array | undefined> => {
      const blob = base.blobs?.[names[address] ?? ""];
      return blob === undefined ? undefined : fromBase64(blob, MESSAGE_MAX);
    };
    for await (const part of fileParts(attachment, fetch)) parts.push(part.slice());
    const file = concat(...parts);
    return { sha256: toHex(sha256(file)), size: file.length };
  },
  file: (_, given) => {
    const [size, root] = (given["since"] ?? []) as [number?, string?];
    const old = root === undefined ? undefined : { size: size as number, root: fromHex(root, 32) };
    const found = verifyFile(text(given, "file"), fromHex(given["fingerprint"] as string, 32), given.now, old);
    return {
      head: found.head && [found.head.size, toHex(found.head.root)],
      fresh_until: found.freshUntil,
    };
  },
};
