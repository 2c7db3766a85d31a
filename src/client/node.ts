/**
 * What takes Node's HTTP clients through SOCKS proxies: agents for `node:http` and `node:https`, and a connector for
 * undici.
 *
 * On Deno and Bun too the agents work. But Bun puts an undici of its own in the package's place, and that one, as its
 * `fetch`, goes directly whatever dispatcher it is given: there, use the agents, or an HTTP proxy in front of the SOCKS one.
 *
 * @module
 */

export type { ClientOptions } from "./client_options.ts";
export { SocksAgent, SocksHttpsAgent } from "./node_agents.ts";
export { type Connector, type ConnectorTarget, undiciConnector } from "./undici_connector.ts";
