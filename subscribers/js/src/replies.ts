/** FORMAT.md, "Replies": what a member says to an originator alone, in a frame that everybody takes. */

import { agrees, parseBulletin, type Bulletin } from "./bulletin.js";
import { derive, openCommitted } from "./content.js";
import { bytes, concat, demandCanonical, parseJson, toHex, type JsonObject } from "./encoding.js";
import { demand } from "./errors.js";
import { distinct, listOf, matches, oneOf, orNull, record, UUID7, whole } from "./fields.js";
import { BODY_SIZES, type Header } from "./frame.js";
import { HASH_SIZE, HPKE_SIZE, PAYLOAD_MAX, REPLY_KEYS_MAX } from "./limits.js";
import { openSealed, type KemKey } from "./wraps.js";

const LABEL = bytes("liaison/1 reply\0");
const COMMITMENT = bytes("liaison/1 reply commitment\0");
const HEAD_SIZE = LABEL.length + HASH_SIZE + 1;

/** A sealed reply as everybody in the community opens it; its readers are not named. */
export interface SealedReply {
  /** Hex. */
  readonly commitment: string;
  readonly keys: readonly Uint8Array<ArrayBuffer>[];
  readonly body: Uint8Array;
}

/** Whether a payload is a sealed reply, and so no bulletin. */
export const isSealed = (payload: Uint8Array): boolean => LABEL.every((byte, at) => payload[at] === byte);

/** Throws `bad_document`. */
export function parseSealed(payload: Uint8Array): SealedReply {
  const count = payload[HEAD_SIZE - 1] ?? 0;
  demand(count >= 1 && count <= REPLY_KEYS_MAX, "bad_document", "not a number of keys that a reply may have");
  const end = HEAD_SIZE + count * HPKE_SIZE;
  const body = payload.slice(end);
  demand(BODY_SIZES.has(body.length), "bad_document", "a ciphertext of none of the padded sizes");
  const keys = Array.from({ length: count }, (_, at) => {
    const start = HEAD_SIZE + at * HPKE_SIZE;
    return new Uint8Array(payload.slice(start, start + HPKE_SIZE));
  });
  return { commitment: toHex(payload.slice(LABEL.length, HEAD_SIZE - 1)), keys, body };
}

/** What a sealed reply says: an answer to the bulletin `target`, or a report on changes of the reader's. */
export type Reply =
  | { readonly content: Uint8Array; readonly bulletin: Bulletin; readonly kind: string; readonly target: string }
  | { readonly content: Uint8Array; readonly changes: readonly JsonObject[] };

const moment = whole(0, Number.MAX_SAFE_INTEGER);
const APPLIED = record({
  id: matches(UUID7),
  received: moment,
  applied: orNull(moment),
  archive: oneOf("applied", "absent"),
  local: oneOf("applied", "failed"),
  sinks: oneOf("applied", "failed", "none"),
});
const REPORT = record({ v: oneOf(1), type: oneOf("report"), changes: listOf(APPLIED) });

function parseReport(fields: JsonObject, content: Uint8Array): readonly JsonObject[] {
  demand(REPORT(fields), "bad_document", "not a report");
  const changes = fields["changes"] as JsonObject[];
  const fits = changes.every((each) => (each["applied"] === null) === [each["local"], each["sinks"]].includes("failed"));
  const once = distinct(changes.map((each) => each["id"] as string));
  demand(changes.length > 0 && once && fits, "bad_document", "no changes, one twice, or applied where it failed");
  demandCanonical(fields, content);
  return changes;
}

/**
 * The reply, where it is for `endpoint`; `code` is its publisher's agency's. Throws `decryption_failed`, `bad_padding`,
 * `commitment_mismatch`, `not_a_reply`, `exercise_mismatch`, `content_mismatch`, and as `parseBulletin`.
 */
export async function openReply(
  sealed: SealedReply,
  header: Header,
  code: string,
  mine: KemKey,
  endpoint: string,
): Promise<Reply | undefined> {
  const context = concat(LABEL, bytes(header.community + header.id + header.publisher));
  const info = concat(context, mine.kid, bytes(endpoint));
  let key: Uint8Array | undefined;
  for (const each of sealed.keys) key ??= await openSealed(each, info, mine);
  if (key === undefined) return undefined;
  const content = openCommitted(sealed.body, context, derive(key, "liaison/1 reply"), COMMITMENT, sealed.commitment);
  const fields = parseJson(content, PAYLOAD_MAX);
  if (fields["type"] === "report") return { content, changes: parseReport(fields, content) };
  const bulletin = parseBulletin(content);
  const kind = bulletin.fields["kind"] as string;
  const links = (bulletin.fields["links"] ?? []) as { id: string }[];
  demand(["acknowledgement", "sighting"].includes(kind) && links.length === 1, "not_a_reply", "an answer to no bulletin");
  agrees(bulletin, header, "none", code);
  return { content, bulletin, kind, target: (links[0] as { id: string }).id };
}
