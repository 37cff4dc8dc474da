/** The vectors in a browser: `globalThis.vectors(base, cases)` gives what came out otherwise. */

import { run, type Base, type Case } from "./runner.js";

/** JSON values are the same whatever the order of their members. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, member]) => [key, ordered(member)]),
  );
}

async function vectors(base: Base, cases: Case[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const each of cases) {
    const [said, expected] = [await run(base, each), each.expect].map((found) => JSON.stringify(ordered(found)));
    if (said !== expected) wrong.push(`${each.name}: ${said}, not ${expected}`);
  }
  return wrong;
}

Object.assign(globalThis, { vectors });
