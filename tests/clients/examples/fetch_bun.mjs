// Bun's own fetch knows HTTP proxies alone: this package's server is one on the same port, and "socks-server bridge" is
// one in front of any SOCKS proxy: bun fetch_bun.mjs http://127.0.0.1:1080 URL

import process from "node:process";

const [proxy = "http://127.0.0.1:1080", url = "https://example.com"] = process.argv.slice(2);

const response = await fetch(url, { proxy });
console.log(response.status, await response.text());
