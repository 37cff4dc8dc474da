/** FORMAT.md, "Directory": the hash tree of RFC 9162, 2.1. */

import { equal } from "./encoding.js";
import { sha256 } from "./signatures.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const leafHash = (entry: Uint8Array): Uint8Array => sha256(LEAF, entry);
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(NODE, left, right);

export interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

/** An append-only log: the root at every size from 0 on. */
export class Log {
  private readonly roots: Uint8Array[] = [sha256()];
  /** The perfect subtrees from left to right, by their number of leaves. */
  private peaks: { size: number; hash: Uint8Array }[] = [];

  get size(): number {
    return this.roots.length - 1;
  }

  get root(): Uint8Array {
    return this.roots[this.size] as Uint8Array;
  }

  /** Undefined for a size that this log has not reached. */
  rootAt(size: number): Uint8Array | undefined {
    return this.roots[size];
  }

  append(entry: Uint8Array): void {
    let last = { size: 1, hash: leafHash(entry) };
    const peaks = [...this.peaks];
    while (peaks.at(-1)?.size === last.size) {
      const left = peaks.pop() as { size: number; hash: Uint8Array };
      last = { size: 2 * last.size, hash: nodeHash(left.hash, last.hash) };
    }
    this.peaks = [...peaks, last];
    this.roots.push(this.peaks.map((peak) => peak.hash).reduceRight((right, left) => nodeHash(left, right)));
  }
}

/** Whether `path` leads from the leaf at `index` to the root of a tree of `size`: RFC 9162, 2.1.3.2. */
export function included(entry: Uint8Array, index: number, size: number, path: Uint8Array[], root: Uint8Array): boolean {
  if (index >= size) return false;
  let [first, last] = [BigInt(index), BigInt(size) - 1n];
  let hash = leafHash(entry);
  for (const step of path) {
    if (last === 0n) return false;
    if (first % 2n === 1n || first === last) {
      hash = nodeHash(step, hash);
      while (first % 2n === 0n && first !== 0n) [first, last] = [first / 2n, last / 2n];
    } else {
      hash = nodeHash(hash, step);
    }
    [first, last] = [first / 2n, last / 2n];
  }
  return last === 0n && equal(hash, root);
}

/** Whether the log of `old` with its root is the beginning of that of `size` with `root`: RFC 9162, 2.1.4.2. */
export function continued(old: Head, now: Head, path: readonly Uint8Array[]): boolean {
  if (old.size > now.size) return false;
  if (old.size === now.size) return path.length === 0 && equal(old.root, now.root);
  if (old.size === 0) return path.length === 0 && equal(old.root, sha256());
  if (path.length === 0) return false;
  let [first, last] = [BigInt(old.size) - 1n, BigInt(now.size) - 1n];
  const steps = (first & (first + 1n)) === 0n ? [old.root, ...path] : [...path];
  while (first % 2n === 1n) [first, last] = [first / 2n, last / 2n];
  const start = steps.shift() as Uint8Array;
  let [before, after] = [start, start];
  for (const step of steps) {
    if (last === 0n) return false;
    if (first % 2n === 1n || first === last) {
      [before, after] = [nodeHash(step, before), nodeHash(step, after)];
      while (first % 2n === 0n && first !== 0n) [first, last] = [first / 2n, last / 2n];
    } else {
      after = nodeHash(after, step);
    }
    [first, last] = [first / 2n, last / 2n];
  }
  return last === 0n && equal(before, old.root) && equal(after, now.root);
}
