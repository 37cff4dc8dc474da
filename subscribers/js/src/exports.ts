/** FORMAT.md, "Exports": a directory from a file, with the root's fingerprint and nothing else. */

import { checkNote, demandFresh, demandNotAhead, freshUntil, originOf, parseNote, type Judges, type Note } from "./checkpoints.js";
import { Directory } from "./directory.js";
import { bytes, demandCanonical, equal, fromHex, parseJson, type Json, type JsonObject } from "./encoding.js";
import { demand } from "./errors.js";
import { HASH, listOf, matches, oneOf, orNull, record, whole, type Check } from "./fields.js";
import { DOCUMENT_MAX, EXPORT_MAX, HASH_SIZE, NOTE_MAX } from "./limits.js";
import { continued, included, type Head } from "./merkle.js";

/** What a file proves; without a checkpoint there is no head. */
export interface Verified {
  /** Of a proof: roots, hub and one agency, and its log is not the one that the head is of. */
  readonly directory: Directory;
  readonly head: Head | null;
  readonly freshUntil: number | null;
}

/** `timely` throws unless the head is fresh. */
type Judged = Verified & { timely: (now: number) => void };

/** Bits of the largest size, and one more in a consistency proof. */
const PATH_MAX = 54;
const upTo = (most: number): Check => (value) => typeof value === "string" && Array.from(value).length <= most;
const path = listOf(matches(HASH), PATH_MAX);
const FORMS: Record<string, Check> = {
  directory: record({
    v: oneOf(1),
    type: oneOf("directory"),
    documents: listOf(upTo(DOCUMENT_MAX), EXPORT_MAX, 1),
    memberships: listOf(upTo(DOCUMENT_MAX), EXPORT_MAX),
    note: orNull(upTo(NOTE_MAX)),
  }),
  "directory-proof": record({
    v: oneOf(1),
    type: oneOf("directory-proof"),
    documents: listOf(record({ v: oneOf(1), index: whole(0), document: upTo(DOCUMENT_MAX), path }), EXPORT_MAX, 1),
    note: upTo(NOTE_MAX),
    since: orNull(record({ v: oneOf(1), size: whole(0), path })),
  }),
};

/** Verify a file at `now`, and that it continues what was once seen as `old`. */
export function verifyFile(data: Uint8Array, fingerprint: Uint8Array, now: number, old?: Head): Verified {
  const fields = parseJson(data, EXPORT_MAX);
  const type = fields["type"];
  const known = typeof type === "string" && Object.hasOwn(FORMS, type) && FORMS[type]?.(fields);
  demand(known === true, "bad_document", "not an exported directory");
  demandCanonical(fields, data);
  const judge = type === "directory" ? verifyExport : verifyProof;
  const { timely, ...found } = judge(fields, fingerprint, old);
  timely(now);
  return found;
}

function verifyExport(fields: JsonObject, fingerprint: Uint8Array, old?: Head): Judged {
  const note = fields["note"] === null ? null : parseNote(bytes(fields["note"] as string));
  const [first, ...rest] = (fields["documents"] as string[]).map(bytes);
  demand((note?.head.size ?? 0) <= rest.length + 1, "log_behind", "the checkpoint is of more documents");
  const directory = Directory.pinned(first as Uint8Array, fingerprint);
  let judges = judgesOf(directory);
  for (const document of rest) {
    directory.apply(document);
    if (directory.log.size <= (note?.head.size ?? 0)) judges = judgesOf(directory);
  }
  for (const entry of fields["memberships"] as string[]) directory.applyMembership(bytes(entry));
  if (note !== null) {
    const checked = check(note, fingerprint, judges);
    demandContinues(directory, note.head);
    if (old) demandContinues(directory, old);
    return { directory, ...checked };
  }
  if (old) demandContinues(directory, old);
  return { directory, head: null, freshUntil: null, timely: () => undefined };
}

function verifyProof(fields: JsonObject, fingerprint: Uint8Array, old?: Head): Judged {
  const shown = fields["documents"] as { index: number; document: string; path: Json[] }[];
  const ordered = shown.every((each, at) => (at === 0 ? each.index === 0 : each.index > (shown[at - 1]?.index ?? 0)));
  demand(ordered, "bad_proof", "the documents do not begin with the first, or not in order");
  const [first, ...rest] = shown.map((each) => bytes(each.document));
  const directory = Directory.pinned(first as Uint8Array, fingerprint);
  for (const document of rest) directory.apply(document);
  const note = parseNote(bytes(fields["note"] as string));
  const checked = check(note, fingerprint, judgesOf(directory));
  const { size, root } = note.head;
  for (const each of shown) {
    const under = included(bytes(each.document), each.index, size, each.path.map(hash), root);
    demand(under, "bad_proof", "a document that is not under the checkpoint");
  }
  if (old) demandSince(fields["since"] as { size: number; path: Json[] } | null, old, note.head);
  return { directory, ...checked };
}

const hash = (text: Json): Uint8Array => fromHex(text, HASH_SIZE);

function judgesOf({ root, hub }: Directory): Judges {
  const { witnesses, quorum, freshness } = root;
  return { witnesses, quorum, freshness, hub: hub?.key };
}

function check(note: Note, fingerprint: Uint8Array, judges: Judges): Omit<Judged, "directory"> {
  const cosigned = checkNote(note, originOf(fingerprint), judges);
  const until = freshUntil(cosigned, judges);
  const timely = (now: number): void => {
    demandNotAhead(cosigned, judges.quorum, now);
    demandFresh(until, now);
  };
  return { head: cosigned.head, freshUntil: until, timely };
}

/** That a whole directory begins with what it was at `old`. */
function demandContinues(directory: Directory, old: Head): void {
  const root = directory.log.rootAt(old.size);
  demand(root !== undefined, "rollback", "the log has fewer documents than it had");
  demand(equal(root, old.root), "split_view", "two different logs of one size");
}

function demandSince(since: { size: number; path: Json[] } | null, old: Head, now: Head): void {
  demand(old.size <= now.size, "rollback", "the checkpoint is of fewer documents than one before");
  if (old.size === now.size) {
    demand(equal(old.root, now.root), "split_view", "two different logs of one size");
    return;
  }
  demand(since?.size === old.size, "not_found", "no consistency proof from that size");
  demand(continued(old, now, since.path.map(hash)), "bad_proof", "it does not continue the log");
}
