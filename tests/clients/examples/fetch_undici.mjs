// undici through a SOCKS proxy, on Node, after "npm install undici": node fetch_undici.mjs PROXY URL

import process from "node:process";
import { undiciConnector } from "@x/socks/client/node";
import { Agent, fetch } from "undici";

const [proxy = "socks5h://127.0.0.1:1080", url = "https://example.com"] = process.argv.slice(2);

const dispatcher = new Agent({ connect: undiciConnector({ proxy }) });
const response = await fetch(url, { dispatcher });
console.log(response.status, await response.text());
await dispatcher.close();
