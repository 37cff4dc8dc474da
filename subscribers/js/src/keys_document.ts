/** FORMAT.md, "Directory": the one document that a reader must write, so that others can send it keys. */

import sodium from "libsodium-wrappers-sumo";

import { bytes, canonicalJson, toBase64, toHex, type Json } from "./encoding.js";
import { DIRECTORY_TYPE, keyId, pae } from "./signatures.js";

export interface Signer {
  readonly public: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

export function signer(seed: Uint8Array): Signer {
  const pair = sodium.crypto_sign_seed_keypair(seed);
  return {
    public: pair.publicKey,
    sign: (message) => sodium.crypto_sign_detached(message, pair.privateKey),
  };
}

export interface Binding {
  readonly agency: string;
  readonly endpoint: string;
  readonly version: number;
  readonly signing: Uint8Array;
  readonly kem: Uint8Array;
  readonly issued: number;
}

/** The envelope that binds an endpoint's keys to it, signed by its agency's identity key. */
export function keysDocument(binding: Binding, identity: Signer): Uint8Array {
  const { signing, kem, ...rest } = binding;
  const document: Json = { v: 1, type: "keys", ...rest, signing: toBase64(signing), kem: toBase64(kem) };
  const payload = bytes(canonicalJson(document));
  const signature = {
    keyid: toHex(keyId(identity.public)),
    sig: toBase64(identity.sign(pae(DIRECTORY_TYPE, payload))),
  };
  return bytes(canonicalJson({ payload: toBase64(payload), payloadType: DIRECTORY_TYPE, signatures: [signature] }));
}
