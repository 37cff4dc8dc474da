/** FORMAT.md, "Directory": the form of each document, and of an enrolment request, before any rule is asked. */

import { demandCanonical, fromBase64, parseJson, type Json, type JsonObject } from "./encoding.js";
import { demand } from "./errors.js";
import { AGENCY_CODE, AGENCY_ID, COMMUNITY, ENDPOINT, KID, USER } from "./fields.js";
import { line, listOf, matches, oneOf, record, whole, type Check } from "./fields.js";
import { COOL_DOWN, COOL_DOWN_MAX, DOCUMENT_MAX, IDENTITY_LOGS_MAX, KEM_KEY_SIZE, KEY_SIZE } from "./limits.js";
import { SECRETARIAT_KEYS_MAX, WITNESSES_MAX } from "./limits.js";
import { ENROLMENT_TYPE, parseEnvelope, publicKey, signers, type Envelope } from "./signatures.js";

const OWNERS_MAX = 16;

export interface Role {
  readonly keys: readonly Uint8Array[];
  readonly threshold: number;
}

export interface Witness {
  readonly name: string;
  readonly key: Uint8Array;
}

export interface RootDocument {
  readonly type: "root";
  readonly version: number;
  readonly root: Role;
  readonly registrar: Role;
  readonly witnesses: readonly Witness[];
  readonly quorum: number;
  readonly freshness: number;
  readonly cooldown: number;
}

export type Document =
  | RootDocument
  | { type: "hub"; version: number; name: string; key: Uint8Array }
  | { type: "agency"; version: number; id: string; name: string; code: string; identity: Uint8Array }
  | { type: "keys"; version: number; agency: string; endpoint: string; signing: Uint8Array; kem: Uint8Array }
  | { type: "revoke"; agency: string; kid: string }
  | { type: "community"; id: string; realm: string; owners: string[]; threshold: number }
  | { type: "replace"; issued: number; agency: string; identity: Uint8Array; nbf: number }
  | { type: "object"; agency: string; identity: Uint8Array }
  | { type: "identity"; issued: number; agency: string; identity: Uint8Array; logs: { com: string; size: number }[] };

const text: Check = (value) => typeof value === "string";
/** Base64 of so many bytes, or of one or two more or fewer: the bytes are counted when they are read. */
const base64Of = (size: number): Check => (value) =>
  typeof value === "string" && value.length === 4 * Math.ceil(size / 3);
const key = base64Of(KEY_SIZE);
const role = record({
  v: oneOf(1),
  keys: listOf(key, SECRETARIAT_KEYS_MAX, 1),
  threshold: whole(1, SECRETARIAT_KEYS_MAX),
});
/** The name of a key in a C2SP note. */
export const keyName: Check = (value) => line(value) && !/[\s+]/u.test(value as string);
const witness = record({ v: oneOf(1), name: keyName, key });
const agency = { id: matches(AGENCY_ID), name: line, code: matches(AGENCY_CODE), identity: key };
/** Whose identity key is to be which. */
const named = { agency: matches(AGENCY_ID), identity: key };
const logSize = record({ v: oneOf(1), com: matches(COMMUNITY), size: whole(0) });

const issued = { v: oneOf(1), type: text, issued: whole(0) };
const versioned = { ...issued, version: whole(1) };
const FORMS: Record<Document["type"], Check> = {
  root: record(
    {
      ...versioned,
      root: role,
      registrar: role,
      witnesses: listOf(witness, WITNESSES_MAX),
      quorum: whole(0, WITNESSES_MAX),
      freshness: whole(1),
    },
    { cooldown: whole(1, COOL_DOWN_MAX) },
  ),
  hub: record({ ...versioned, name: line, key }),
  agency: record({ ...versioned, ...agency }),
  keys: record({ ...versioned, agency: matches(AGENCY_ID), endpoint: matches(ENDPOINT), signing: key, kem: base64Of(KEM_KEY_SIZE) }),
  revoke: record({ ...issued, agency: matches(AGENCY_ID), kid: matches(KID) }),
  community: record({
    ...issued,
    id: matches(COMMUNITY),
    realm: oneOf("live", "exercise"),
    owners: listOf(matches(AGENCY_ID), OWNERS_MAX, 1),
    threshold: whole(1, OWNERS_MAX),
  }),
  replace: record({ ...issued, ...named, nbf: whole(0) }),
  object: record({ ...issued, ...named }),
  identity: record({ ...issued, ...named, logs: listOf(logSize, IDENTITY_LOGS_MAX) }),
};
const ENROLMENT = record({ ...issued, ...agency, user: matches(USER) });

/** The document in an envelope. Throws `bad_json`, `bad_encoding`, `bad_document`, `bad_key`. */
export function parseDocument(envelope: Envelope): Document {
  const fields = parseJson(envelope.payload, DOCUMENT_MAX);
  const type = fields["type"];
  demand(typeof type === "string" && Object.hasOwn(FORMS, type), "bad_document", "no type of this text");
  demand(FORMS[type as Document["type"]](fields), "bad_document", `not a document of type ${type}`);
  demandCanonical(fields, envelope.payload);
  // A value has one form: what everybody assumes is not written out.
  demand(type !== "root" || fields["cooldown"] !== COOL_DOWN, "bad_encoding", "the usual cool-down written out");
  return withKeys(fields);
}

/** `fields` have been checked: what is left is to read the keys in them. */
function withKeys(fields: JsonObject): Document {
  const document = { ...fields };
  switch (fields["type"]) {
    case "root":
      return readRoot(fields);
    case "hub":
      return { ...document, key: publicKey(fields["key"]) } as unknown as Document;
    case "agency":
    case "replace":
    case "object":
    case "identity":
      return { ...document, identity: publicKey(fields["identity"]) } as unknown as Document;
    case "keys":
      return { ...document, signing: publicKey(fields["signing"]), kem: kemKey(fields["kem"]) } as unknown as Document;
    default:
      return document as unknown as Document;
  }
}

function readRoot(fields: JsonObject): Document {
  const roles = { root: readRole(fields["root"]), registrar: readRole(fields["registrar"]) };
  const witnesses = (fields["witnesses"] as JsonObject[]).map((each) => ({
    name: each["name"] as string,
    key: publicKey(each["key"]),
  }));
  return { cooldown: COOL_DOWN, ...fields, ...roles, witnesses } as unknown as Document;
}

function readRole(value: Json | undefined): Role {
  const fields = value as JsonObject;
  return { keys: (fields["keys"] as Json[]).map(publicKey), threshold: fields["threshold"] as number };
}

function kemKey(value: Json | undefined): Uint8Array {
  const key = fromBase64(value, KEM_KEY_SIZE);
  demand(key.length === KEM_KEY_SIZE, "bad_key", "not an X-Wing key");
  return key;
}

/** The id of the agency that asks to be enrolled. Throws as `parseDocument`, and `bad_signature`. */
export function parseEnrolment(data: Uint8Array): string {
  const envelope = parseEnvelope(data, ENROLMENT_TYPE);
  const fields = parseJson(envelope.payload, DOCUMENT_MAX);
  const asked = fields["type"] === "enrolment" && ENROLMENT(fields);
  demand(asked, "bad_document", "not an enrolment request");
  demandCanonical(fields, envelope.payload);
  demand(signers(envelope, [publicKey(fields["identity"])]) === 1, "bad_signature", "not signed by its identity key");
  return fields["id"] as string;
}
