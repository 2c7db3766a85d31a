// node:http and node:https through a SOCKS proxy, on Node and on Bun: node request_node.mjs PROXY URL

import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import process from "node:process";
import { SocksAgent, SocksHttpsAgent } from "@x/socks/client/node";

const [proxy = "socks5h://127.0.0.1:1080", url = "https://example.com"] = process.argv.slice(2);

const isSecure = url.startsWith("https:");
const agent = isSecure ? new SocksHttpsAgent({ proxy }) : new SocksAgent({ proxy });
(isSecure ? getHttps : getHttp)(url, { agent }, async (response) => {
  let text = "";
  for await (const chunk of response) text += chunk;
  console.log(response.statusCode, text);
  agent.destroy();
}).on("error", (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
