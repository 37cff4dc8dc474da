/** Refusals: FORMAT.md, "Refusals". A contract test compares this list with the one of the first implementation. */

export const CODES = [
  "too_large",
  "truncated",
  "bad_version",
  "bad_json",
  "bad_encoding",
  "bad_header",
  "bad_subject",
  "subject_mismatch",
  "unknown_key",
  "revoked_key",
  "bad_key",
  "bad_signature",
  "unknown_publisher",
  "suspended",
  "unknown_community",
  "wrong_realm",
  "not_member",
  "read_only_member",
  "expired",
  "from_the_future",
  "too_old",
  "clock_skew",
  "replayed",
  "gap",
  "fork",
  "unknown_epoch",
  "missing_wrap",
  "bad_wrap",
  "key_mismatch",
  "decryption_failed",
  "bad_padding",
  "commitment_mismatch",
  "body_unexpected",
  "history_none",
  "bad_page",
  "bad_document",
  "below_threshold",
  "not_next",
  "unknown_agency",
  "already_known",
  "root_mismatch",
  "split_view",
  "log_behind",
  "too_early",
  "bad_receipt",
  "bad_checkpoint",
  "witness_shortfall",
  "stale_head",
  "rollback",
  "stolen_key",
  "restoring",
  "bad_proof",
  "bad_parcel",
  "bad_evidence",
  "bad_chunk",
  "bad_attachment",
  "missing_chunk",
  "over_quota",
  "bad_draft",
  "missing_marking",
  "red_with_history",
  "unknown_language",
  "dangling_reference",
  "exercise_mismatch",
  "content_mismatch",
  "not_a_reply",
  "no_reader",
  "not_granted",
  "grant_expired",
  "red_onward",
  "wrong_key",
  "store_corrupt",
  "disk_full",
  "already_running",
  "not_enrolled",
  "hub_unreachable",
  "node_unreachable",
  "not_found",
  "forbidden",
  "bad_request",
  "bad_settings",
  "internal",
] as const;

export type Code = (typeof CODES)[number];

/** The one error of this reader: something from outside is not what the format allows. */
export class Refusal extends Error {
  constructor(
    readonly code: Code,
    message: string,
  ) {
    super(message);
    this.name = "Refusal";
  }
}

/** Throw a `Refusal` unless `holds`. */
export function demand(holds: boolean, code: Code, message: string): asserts holds {
  if (!holds) throw new Refusal(code, message);
}
