/** FORMAT.md, "Attachments": the file behind an attachment, chunk by chunk. */

import sodium, { type StateAddress } from "libsodium-wrappers-sumo";

import { fromHex, toHex } from "./encoding.js";
import { demand, Refusal } from "./errors.js";
import { ADDRESSES_PER_LIST, ATTACHMENT_ROOM_MIN, CHUNK_MAX, CHUNK_OVERHEAD, CHUNK_SIZE } from "./limits.js";
import { HASH_SIZE, KEY_SIZE, STREAM_HEADER_SIZE } from "./limits.js";
import { sha256 } from "./signatures.js";

/** What a bulletin says of a file; its form was checked with the bulletin. */
export interface Attachment {
  readonly size: number;
  readonly sha256: string;
  readonly seal: { readonly header: string; readonly key: string; readonly root: string };
}

/** What the hub answers for an address (hex); nothing where it has nothing. */
export type Fetch = (address: string) => Promise<Uint8Array | undefined>;

/** The size of a file with its padding: Padmé, from 1024 bytes on. */
export function padded(size: number): number {
  const length = Math.max(size, ATTACHMENT_ROOM_MIN);
  const exponent = bits(length) - 1;
  const step = 2 ** (exponent - bits(exponent));
  return Math.ceil(length / step) * step;
}

/** Sizes go up to 2^31. */
const bits = (value: number): number => value.toString(2).length;

export const chunkCount = (size: number): number => Math.ceil(padded(size) / CHUNK_SIZE);

/** The root over addresses, and the lists between. */
export function tree(addresses: readonly Uint8Array[]): { root: Uint8Array; lists: Uint8Array[] } {
  const lists: Uint8Array[] = [];
  let level = addresses;
  while (level.length > 1) {
    const made: Uint8Array[] = [];
    for (let at = 0; at < level.length; at += ADDRESSES_PER_LIST) {
      const some = level.slice(at, at + ADDRESSES_PER_LIST);
      const list = new Uint8Array(some.length * HASH_SIZE);
      some.forEach((address, index) => list.set(address, index * HASH_SIZE));
      made.push(list);
    }
    lists.push(...made);
    level = made.map((list) => sha256(list));
  }
  return { root: level[0] as Uint8Array, lists };
}

/**
 * The parts of a file, in order. Only when all have come and nothing was thrown is it the file: until then it must
 * not have its name. Throws `bad_chunk`, `missing_chunk`, `bad_attachment`, `decryption_failed`, `truncated`,
 * `bad_padding`.
 */
export async function* fileParts(attachment: Attachment, fetch: Fetch): AsyncGenerator<Uint8Array> {
  const { size, seal } = attachment;
  const header = fromHex(seal.header, STREAM_HEADER_SIZE);
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(header, fromHex(seal.key, KEY_SIZE));
  const digest = sodium.crypto_hash_sha256_init();
  let [at, room] = [0, padded(size)];
  for await (const address of addresses(seal.root, chunkCount(size), fetch)) {
    const wanted = Math.min(room - at, CHUNK_SIZE);
    const chunk = await fetched(address, fetch);
    demand(chunk.length === wanted + CHUNK_OVERHEAD, "bad_attachment", "a chunk of another length");
    const plain = opened(state, chunk, at + wanted === room);
    const part = plain.subarray(0, Math.max(0, size - at));
    demand(plain.subarray(part.length).every((byte) => byte === 0), "bad_padding", "padding that is not zero");
    sodium.crypto_hash_sha256_update(digest, part);
    at += wanted;
    yield part;
  }
  const found = toHex(sodium.crypto_hash_sha256_final(digest));
  demand(found === attachment.sha256, "bad_attachment", "not the file that the bulletin describes");
}

function opened(state: StateAddress, chunk: Uint8Array, last: boolean): Uint8Array {
  const [message, final] = [
    sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE,
    sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL,
  ];
  const pulled = sodium.crypto_secretstream_xchacha20poly1305_pull(state, chunk, null);
  if (!pulled) throw new Refusal("decryption_failed", "the key does not open the chunk");
  demand(pulled.tag === message || (last && pulled.tag === final), "bad_attachment", "a chunk with another tag");
  demand(!last || pulled.tag === final, "truncated", "the last chunk is not marked");
  return pulled.message;
}

/** The addresses (hex) of so many chunks under a root, in order: one list of each level is held at a time. */
async function* addresses(root: string, count: number, fetch: Fetch): AsyncGenerator<string> {
  if (count === 1) return yield root;
  const lists = Math.ceil(count / ADDRESSES_PER_LIST);
  let left = count;
  for await (const address of addresses(root, lists, fetch)) {
    const list = await fetched(address, fetch);
    const wanted = Math.min(left, ADDRESSES_PER_LIST);
    demand(list.length === wanted * HASH_SIZE, "bad_attachment", "a list of another length");
    for (let at = 0; at < list.length; at += HASH_SIZE) yield toHex(list.subarray(at, at + HASH_SIZE));
    left -= wanted;
  }
}

async function fetched(address: string, fetch: Fetch): Promise<Uint8Array> {
  const blob = await fetch(address);
  if (blob === undefined) throw new Refusal("missing_chunk", "the hub does not have it");
  demand(blob.length <= CHUNK_MAX && toHex(sha256(blob)) === address, "bad_chunk", "not the bytes of this address");
  return blob;
}
