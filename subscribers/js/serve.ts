/** Serve the page on this machine alone: `node build/serve.js [PORT]`. It is static; nothing is sent to it. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const FILES: Record<string, readonly [file: string, type: string]> = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/style.css": ["style.css", "text/css; charset=utf-8"],
  "/app.js": ["app.js", "text/javascript; charset=utf-8"],
};
/** Scripts and styles from here alone; connections to hubs; nothing else, and in nobody's frame. */
const HEADERS = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src ws: wss:; frame-ancestors 'none'; form-action 'none'; base-uri 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cache-Control": "no-store",
};

const server = createServer((request, response) => {
  const found = request.method === "GET" ? FILES[request.url ?? ""] : undefined;
  if (found === undefined) {
    response.writeHead(404, HEADERS).end();
    return;
  }
  const [file, type] = found;
  const body = readFileSync(new URL(`page/${file}`, import.meta.url));
  response.writeHead(200, { ...HEADERS, "Content-Type": type }).end(body);
});

server.listen(Number(process.argv[2] ?? 8480), "127.0.0.1", () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ event: "serving", url: `http://127.0.0.1:${port}/` })}\n`);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
