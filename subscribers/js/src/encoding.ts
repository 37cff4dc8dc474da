/** FORMAT.md, "Encodings": every value has one form. */

import { demand, Refusal } from "./errors.js";
import { JSON_DEPTH_MAX } from "./limits.js";

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether two public values are the same; not for secrets. */
export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

export function toHex(data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** Exactly `size` bytes from lower-case hex. Throws `bad_encoding`. */
export function fromHex(text: Json | undefined, size: number): Uint8Array<ArrayBuffer> {
  demand(typeof text === "string" && text.length === 2 * size && /^[0-9a-f]*$/.test(text), "bad_encoding", "not hex");
  const data = new Uint8Array(size);
  for (let index = 0; index < size; index++) data[index] = parseInt(text.slice(2 * index, 2 * index + 2), 16);
  return data;
}

export function toBase64(data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text);
}

/** At most `max` bytes. Throws `bad_encoding`: `atob` takes several forms of one value, so it is encoded again. */
export function fromBase64(text: Json | undefined, max: number): Uint8Array<ArrayBuffer> {
  demand(typeof text === "string" && text.length <= 4 * Math.ceil(max / 3), "bad_encoding", "not base64");
  demand(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text), "bad_encoding", "not base64");
  const data = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  demand(data.length <= max && toBase64(data) === text, "bad_encoding", "not the one form of base64");
  return data;
}

/** Strict JSON, at most `max` bytes. Throws `too_large`, `bad_json`. Objects have no prototype. */
export function parseJson(data: Uint8Array, max: number): JsonObject {
  demand(data.length <= max, "too_large", `more than ${max} bytes`);
  let text: string;
  try {
    text = decoder.decode(data);
  } catch {
    throw new Refusal("bad_json", "not UTF-8");
  }
  return new StrictParser(text).document();
}

/** Canonical JSON of a value that holds no lone surrogates. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort(byCodePoint);
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`).join(",")}}`;
}

/** That `data` is the canonical form of the value that was read from it. Throws `bad_encoding`. */
export function demandCanonical(value: JsonObject, data: Uint8Array): void {
  demand(equal(bytes(canonicalJson(value)), data), "bad_encoding", "not canonical JSON");
}

/** UTF-16 would put U+FFFF after U+10000. */
function byCodePoint(one: string, other: string): number {
  const [left, right] = [Array.from(one), Array.from(other)];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const difference = (left[index]?.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;
const ESCAPES: Record<string, string> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const LITERALS: [string, Json][] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/** `JSON.parse` takes keys twice, fractions, numbers that it rounds, and any depth. */
class StrictParser {
  private at = 0;

  constructor(private readonly text: string) {}

  document(): JsonObject {
    this.space();
    demand(this.text[this.at] === "{", "bad_json", "not an object");
    const value = this.object(1);
    this.space();
    demand(this.at === this.text.length, "bad_json", "more after the end");
    return value;
  }

  private value(depth: number): Json {
    demand(depth <= JSON_DEPTH_MAX || !'{['.includes(this.text[this.at] ?? "x"), "bad_json", "nested too deeply");
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth);
      case "[":
        return this.array(depth);
      case '"':
        return this.string();
    }
    for (const [word, value] of LITERALS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    return this.number();
  }

  private object(depth: number): JsonObject {
    const found: JsonObject = Object.create(null) as JsonObject;
    this.members("}", () => {
      demand(this.text[this.at] === '"', "bad_json", "not a key");
      const key = this.string();
      demand(!(key in found), "bad_json", "a key that stands twice");
      this.space();
      demand(this.text[this.at++] === ":", "bad_json", "no colon");
      this.space();
      found[key] = this.value(depth + 1);
    });
    return found;
  }

  private array(depth: number): Json[] {
    const found: Json[] = [];
    this.members("]", () => found.push(this.value(depth + 1)));
    return found;
  }

  private members(end: string, member: () => void): void {
    this.at++;
    this.space();
    if (this.text[this.at] === end) {
      this.at++;
      return;
    }
    for (;;) {
      this.space();
      member();
      this.space();
      const after = this.text[this.at++];
      if (after === end) return;
      demand(after === ",", "bad_json", "no comma");
    }
  }

  private number(): number {
    const digits = this.take(NUMBER);
    const value = Number(digits);
    const whole = digits !== "" && digits !== "-0" && Number.isSafeInteger(value);
    demand(whole && !/^[.eE0-9]/.test(this.text.slice(this.at, this.at + 1)), "bad_json", "not a whole number");
    return value;
  }

  private string(): string {
    this.at++;
    let value = "";
    for (;;) {
      value += this.take(PLAIN);
      const next = this.text[this.at++];
      if (next === '"') break;
      demand(next === "\\", "bad_json", "a string that does not end, or a control character");
      value += this.escape();
    }
    demand(value.isWellFormed(), "bad_json", "a lone surrogate");
    return value;
  }

  private escape(): string {
    const letter = this.text[this.at++] ?? "";
    if (letter !== "u") {
      const meant = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
      demand(meant !== undefined, "bad_json", "an unknown escape");
      return meant;
    }
    const digits = this.text.slice(this.at, this.at + 4);
    demand(/^[0-9a-fA-F]{4}$/.test(digits), "bad_json", "an unknown escape");
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }

  private space(): void {
    this.take(SPACE);
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }
}
