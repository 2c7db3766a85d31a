import { findDante } from "./dante.ts";
import { findMicrosocks } from "./microsocks.ts";
import { findOurs } from "./ours.ts";
import { type Candidate, isCandidate, type Missing } from "./server.ts";
import { findSsh } from "./ssh.ts";

/** What is there to be measured, and what is not. */
export interface Found {
  readonly candidates: readonly Candidate[];
  readonly missing: readonly Missing[];
}

/**
 * Looks for the servers.
 *
 * @param folder A folder for what has to be built.
 * @param names The servers that are asked for; undefined for all.
 */
export async function findServers(folder: string, names: readonly string[] | undefined): Promise<Found> {
  const wanted = (id: string) => names === undefined || names.includes(id);
  const peers = await Promise.all([findMicrosocks(), findDante(), findSsh()]);
  const all = [...await findOurs(folder, wanted), ...peers.filter(({ id }) => wanted(id))];
  const absent = names?.filter((name) => all.every(({ id }) => id !== name)) ?? [];
  return {
    candidates: all.filter(isCandidate),
    missing: [
      ...all.filter((found): found is Missing => !isCandidate(found)),
      ...absent.map((id) => ({ id, label: id, reason: `set ${id.toUpperCase()} to the path of a program` })),
    ],
  };
}
