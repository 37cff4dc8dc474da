/** Checks of decoded JSON: which fields an object has, and of what form each is. FORMAT.md, "Encodings". */

import type { Json, JsonObject } from "./encoding.js";
import { LIST_MAX, TITLE_MAX } from "./limits.js";

export type Check = (value: Json) => boolean;

export const AGENCY_ID = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
export const AGENCY_CODE = /^[A-Z][A-Z0-9]{1,7}$/;
export const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;
export const COMMUNITY = /^[0-9a-f]{32}$/;
export const ENDPOINT = /^A[A-Z2-7]{55}$/;
export const USER = /^U[A-Z2-7]{55}$/;
export const HASH = /^[0-9a-f]{64}$/;
export const KID = /^[0-9a-f]{32}$/;
export const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const STEERING = "\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069";
const NOT_IN_LINE = new RegExp(`[\\u0000-\\u001f\\u2028\\u2029${STEERING}]`);
const NOT_IN_TEXT = new RegExp(`[\\u0000-\\u0008\\u000b-\\u001f${STEERING}]`);

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is an object with exactly these fields. */
export function has(value: Json | undefined, names: readonly string[]): value is JsonObject {
  return isObject(value) && Object.keys(value).length === names.length && names.every((name) => name in value);
}

/** An object with exactly these fields, each as its check says. */
export function record(checks: Record<string, Check>, optional: Record<string, Check> = {}): Check {
  return (value) => {
    if (!isObject(value)) return false;
    for (const [name, member] of Object.entries(value)) {
      const check = Object.hasOwn(checks, name) ? checks[name] : Object.hasOwn(optional, name) ? optional[name] : undefined;
      if (!check?.(member)) return false;
    }
    return Object.keys(checks).every((name) => name in value);
  };
}

export const matches = (pattern: RegExp): Check => (value) => typeof value === "string" && pattern.test(value);

export const oneOf = (...values: Json[]): Check => (value) => values.includes(value);

export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Check => (value) =>
  typeof value === "number" && value >= least && value <= most;

export const boolean: Check = (value) => typeof value === "boolean";

export const listOf = (check: Check, most = LIST_MAX, least = 0): Check => (value) =>
  Array.isArray(value) && value.length >= least && value.length <= most && value.every(check);

export const orNull = (check: Check): Check => (value) => value === null || check(value);

/** Length in code points. */
export function sized(value: string, least: number, most: number): boolean {
  const length = Array.from(value).length;
  return length >= least && length <= most;
}

export const line: Check = (value) => typeof value === "string" && lineOf(1, TITLE_MAX)(value);

export const lineOf = (least: number, most: number): Check => (value) =>
  typeof value === "string" && sized(value, least, most) && !NOT_IN_LINE.test(value);

export const textOf = (most: number): Check => (value) =>
  typeof value === "string" && sized(value, 0, most) && !NOT_IN_TEXT.test(value);

/** Whether every value is there once. */
export const distinct = (values: readonly Json[]): boolean => new Set(values).size === values.length;
