/** FORMAT.md, "Subjects". */

import { demand } from "./errors.js";

export interface Place {
  readonly realm: string;
  readonly community: string;
  readonly precedence: string;
  readonly publisher: string;
}

const FRAME = /^f\.(live|exercise)\.([0-9a-f]{32})\.(routine|flash)\.(A[A-Z2-7]{55})$/;
const MEMBERSHIP = /^m\.([0-9a-f]{32})$/;

export const DOCUMENTS = "d.doc";
export const HEADS = "d.head";

/** Where an admitted frame stands. Throws `bad_subject`. */
export function frameSubject(subject: string): Place {
  const found = FRAME.exec(subject);
  demand(found !== null, "bad_subject", "no subject of a frame");
  const [realm, community, precedence, publisher] = found.slice(1) as [string, string, string, string];
  return { realm, community, precedence, publisher };
}

/** The community whose membership log an entry belongs to. Throws `bad_subject`. */
export function membershipSubject(subject: string): string {
  const found = MEMBERSHIP.exec(subject);
  demand(found !== null, "bad_subject", "no subject of a membership entry");
  return found[1] as string;
}

export const wrapSubject = (endpoint: string): string => `w.${endpoint}`;
export const receiptSubject = (endpoint: string): string => `r.${endpoint}`;
export const operationSubject = (endpoint: string): string => `o.${endpoint}`;
export const documentSubmission = (endpoint: string): string => `s.doc.${endpoint}`;
