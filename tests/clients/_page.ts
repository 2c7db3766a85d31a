/**
 * Serves one page on a free port of loopback, wherever it is started; prints the port first, then every request.
 *
 * @module
 */
import { createServer } from "node:http";
import process from "node:process";
import { GREETING } from "./_targets.ts";

const server = createServer((request, response) => {
  process.stdout.write(`${request.method} ${request.url}\n`);
  response.setHeader("content-type", "text/plain");
  response.end(GREETING);
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.stdout.write(`port ${address.port}\n`);
});
