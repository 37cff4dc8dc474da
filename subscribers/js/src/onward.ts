/** FORMAT.md, "Onward release": bulletins that went on to another community, and grants that let them. */

import { agrees, parseBulletin, type Bulletin } from "./bulletin.js";
import { commitmentTo } from "./content.js";
import type { Directory } from "./directory.js";
import { bytes, canonicalJson, concat, demandCanonical, fromBase64, fromHex, parseJson, type Json, type JsonObject } from "./encoding.js";
import { demand } from "./errors.js";
import { AGENCY_ID, COMMUNITY, ENDPOINT, HASH, isObject, matches, oneOf, record, UUID7, whole } from "./fields.js";
import { parseHeader, type Header } from "./frame.js";
import { DOCUMENT_MAX, HASH_SIZE, SALT_SIZE, SIGNATURE_SIZE } from "./limits.js";
import { FRAME_TYPE, pae, parseEnvelope, RELEASE_TYPE, signers, verify, type Envelope } from "./signatures.js";

/** Where a bulletin was published, when, and by which agency. */
export interface Published {
  readonly community: string;
  readonly iat: number;
  readonly agency: string;
}

/** What a release carries: whose it is, and what it says. */
export interface Original {
  readonly agency: string;
  readonly header: Header;
  readonly bulletin: Bulletin;
}

interface Grant {
  readonly bulletin: string;
  readonly pc: string;
  readonly publisher: string;
  readonly source: string;
  readonly target: string;
  readonly carrier: string;
  readonly until: number;
}

const FORM = record({
  v: oneOf(1),
  type: oneOf("release"),
  issued: whole(0),
  bulletin: matches(UUID7),
  pc: matches(HASH),
  publisher: matches(ENDPOINT),
  source: matches(COMMUNITY),
  target: matches(COMMUNITY),
  carrier: matches(AGENCY_ID),
  until: whole(0),
});
/** What a release has of its own, or has not. */
const OWN = new Set(["id", "ref", "issued", "links", "drafter", "releaser", "onward", "grant", "release"]);
/** Texts and lists are empty by default. */
const DEFAULTS: Record<string, Json> = { v: 1, history: "none", exercise: false };
/** How what an originator says later is linked to what it said. */
const FOLLOWS: Record<string, string> = { amendment: "amends", retraction: "retracts" };

/**
 * What a bulletin carries on, where it does, once grant and release hold. Throws `not_granted`, `grant_expired`,
 * `red_onward`, `bad_signature`, `unknown_key`, `revoked_key`, `commitment_mismatch`, `content_mismatch`, and those
 * of header, bulletin and envelope.
 */
export function checkOnward({ fields }: Bulletin, place: Published, directory: Directory): Original | undefined {
  if (typeof fields["grant"] === "string") given(fields["grant"], place.agency, place.community, directory);
  if (!isObject(fields["release"])) return undefined;
  const release = fields["release"] as Record<string, string>;
  const original = originalOf(release, directory);
  demand(original.bulletin.fields["tlp"] !== "TLP:RED", "red_onward", "TLP:RED stays where it is");
  demand(!isObject(original.bulletin.fields["release"]), "not_granted", "the original was carried there itself");
  const grant = given(release["grant"] as string, original.agency, original.header.community, directory);
  demand(covers(grant, original), "not_granted", "the grant is for another bulletin");
  demand(said(fields) === said(original.bulletin.fields), "content_mismatch", "it says other than its original");
  const meant = grant.target === place.community && grant.carrier === place.agency;
  demand(meant, "not_granted", "the grant is for another community or carrier");
  demand(place.iat < grant.until, "grant_expired", "the grant has ended");
  return original;
}

/** The grant in an envelope, if it is of `agency` and about what it published in `community`. */
function given(text: string, agency: string, community: string, directory: Directory): Grant {
  const { grant, envelope } = parseGrant(bytes(text));
  const about = directory.endpoints.get(grant.publisher)?.agency === agency && grant.source === community;
  demand(about, "not_granted", "the grant is about another agency or community");
  const keys = [...directory.signing.values()].filter((bound) => bound.agency === agency && !bound.revoked);
  demand(signers(envelope, keys.map((bound) => bound.key)) > 0, "bad_signature", "not signed by the originator");
  return grant;
}

function parseGrant(data: Uint8Array): { grant: Grant; envelope: Envelope } {
  const envelope = parseEnvelope(data, RELEASE_TYPE);
  const fields = parseJson(envelope.payload, DOCUMENT_MAX);
  demand(FORM(fields), "bad_document", "not a grant");
  demandCanonical(fields, envelope.payload);
  return { grant: fields as unknown as Grant, envelope };
}

/** The bulletin in a release, shown to be its publisher's. */
function originalOf(release: Record<string, string>, directory: Directory): Original {
  const head = bytes(release["header"] as string);
  const header = parseHeader(head);
  demand(header.kind === "b", "bad_document", "not the header of a bulletin");
  const bound = directory.signing.get(header.kid);
  demand(bound?.endpoint === header.publisher, "unknown_key", "not a key of this endpoint");
  demand(!bound.revoked, "revoked_key", "the key was revoked");
  const signed = pae(FRAME_TYPE, concat(head, fromHex(release["digest"], HASH_SIZE)));
  const signature = fromBase64(release["signature"], SIGNATURE_SIZE);
  demand(verify(bound.key, signed, signature), "bad_signature", "the original's signature does not hold");
  const payload = bytes(release["payload"] as string);
  const committed = commitmentTo(fromHex(release["salt"], SALT_SIZE), payload) === header.pc;
  demand(committed, "commitment_mismatch", "not the plaintext that was committed to");
  const bulletin = parseBulletin(payload);
  agrees(bulletin, header, bulletin.history, directory.agencies.get(bound.agency)?.code);
  return { agency: bound.agency, header, bulletin };
}

function covers(grant: Grant, { header, bulletin }: Original): boolean {
  if (header.id === grant.bulletin) return header.pc === grant.pc && header.publisher === grant.publisher;
  const relation = FOLLOWS[bulletin.fields["kind"] as string];
  const links = (bulletin.fields["links"] ?? []) as { relation: string; id: string }[];
  return links.some((each) => each.relation === relation && each.id === grant.bulletin);
}

/** What a release must say as its original does, in one form: what is left out has its default. */
function said(fields: JsonObject): string {
  const shared = Object.entries(fields).filter(([name, value]) => !OWN.has(name) && value !== DEFAULTS[name]);
  return canonicalJson(stripped(Object.fromEntries(shared)));
}

function stripped(value: Json): Json {
  if (Array.isArray(value)) return value.map(stripped);
  if (!isObject(value)) return value;
  const full = Object.entries(value).filter(([, member]) => !isEmpty(member));
  return Object.fromEntries(full.map(([name, member]) => [name, stripped(member)]));
}

const isEmpty = (value: Json): boolean => value === null || value === "" || (Array.isArray(value) && value.length === 0);
