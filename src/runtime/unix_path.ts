import { lstatSync, type Stats, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import { newNetError, toNetError } from "./errno.ts";

/** The hold a listener has on the path of its UNIX socket. */
export interface PathClaim {
  /** Notes which file is ours, once it is there. */
  hold(): void;
  /** Removes the path, unless somebody else's file has taken it. */
  release(): void;
}

/**
 * Makes a path free to listen on: a socket file on which nobody answers, left by a crash, goes.
 *
 * @param path The path; one that starts with a zero byte is Linux's abstract kind and has no file.
 * @param action What the error messages begin with.
 * @throws {NetError} `address-in-use` when a live server answers there or the file is no socket.
 */
export async function claimPath(path: string, action: string): Promise<PathClaim> {
  if (path.startsWith("\0")) return { hold: ignore, release: ignore };
  const found = fileAt(path, action);
  if (found !== undefined) {
    if (!found.isSocket() || await answers(path)) throw newNetError("address-in-use", action);
    remove(path);
  }
  let ours: Stats | undefined;
  return {
    hold: () => ours = fileAt(path, action),
    release: () => {
      const now = fileAt(path, action);
      if (now !== undefined && now.ino === ours?.ino && now.dev === ours.dev) remove(path);
    },
  };
}

function fileAt(path: string, action: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw toNetError(error, action, "listen");
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Gone already, or not ours to remove: listening will tell.
  }
}

/** Whether a server accepts on a path. Only a refusal says no: one that is merely busy is alive. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    const settle = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.once("error", (error: Error & { code?: string }) => {
      settle(error.code !== "ECONNREFUSED" && error.code !== "ENOENT" && error.code !== "ECONNRESET");
    });
    socket.connect({ path }, () => settle(true));
  });
}

function ignore(): void {}
