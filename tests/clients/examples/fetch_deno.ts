// Deno's own fetch, through a SOCKS proxy: deno run -A fetch_deno.ts PROXY URL
// It needs nothing of this package. With socks5h:// the proxy looks names up.

const [proxy = "socks5h://127.0.0.1:1080", url = "https://example.com"] = Deno.args;

using client = Deno.createHttpClient({ proxy: { url: proxy } });
const response = await fetch(url, { client });
console.log(response.status, await response.text());
