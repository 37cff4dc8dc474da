/** The journal of an endpoint that is read in a browser: as `Journal`, in the browser's own database. */

import type { JsonObject } from "./encoding.js";
import { packed, unpacked, type Entry } from "./files.js";

const STORE = "messages";

export class BrowserJournal {
  private constructor(
    private readonly database: IDBDatabase,
    private readonly name: string,
  ) {}

  /** That of one endpoint. */
  static async open(endpoint: string): Promise<BrowserJournal> {
    const name = `liaison ${endpoint}`;
    const opening = indexedDB.open(name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { autoIncrement: true });
    return new BrowserJournal(await done(opening), name);
  }

  /** What was kept, in its order. */
  async entries(): Promise<Entry[]> {
    const kept: JsonObject[] = await done(this.database.transaction(STORE).objectStore(STORE).getAll());
    return kept.map((each) => unpacked(each, this.name));
  }

  /** It is in the database when this returns. */
  async append(entry: Entry): Promise<void> {
    const writing = this.database.transaction(STORE, "readwrite", { durability: "strict" });
    writing.objectStore(STORE).add(packed(entry));
    await new Promise<void>((kept, failed) => {
      writing.oncomplete = () => kept();
      writing.onabort = () => failed(new Error("the browser has not kept a message", { cause: writing.error }));
    });
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((found, failed) => {
    request.onsuccess = () => found(request.result);
    request.onerror = () => failed(new Error("the browser's database", { cause: request.error }));
  });
}
