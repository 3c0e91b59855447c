// What is on this computer of recordings that no page has open: those of pages that crashed or
// were closed, and earlier ones of this page. Each is kept until somebody deletes it, or the
// server has said that it has all of it.

import { isOnServer, whileIdle } from "./upload.js";

/** Whether a recording was downloaded, and why its upload has failed, by its name. */
const [downloaded, failed] = ["downloaded", "failed upload of"].map((what) => ({
  get: (name) => localStorage.getItem(`${what} ${name}`),
  set: (name, value) => localStorage.setItem(`${what} ${name}`, value),
  delete: (name) => localStorage.removeItem(`${what} ${name}`),
}));

export const rememberDownload = (name) => downloaded.set(name, "yes");

export const rememberFailure = (name, why) => failed.set(name, why);

/**
 * All that is left.
 * @param {{ id: string, done: boolean, repaired?: boolean }[]} uploads what the server has
 */
export async function listLeft({ Recording }, uploads) {
  const all = [];
  for (const left of await Recording.recoverable()) {
    const upload = uploads.find(({ id }) => id === left.name);
    if (upload?.done && !failed.get(left.name) && (await isOnServer(left.name))) await deleteLeft(left);
    else all.push({ left, upload, isDownloaded: downloaded.get(left.name) !== null, failure: failed.get(left.name) });
  }
  return all;
}

/** A recording of it, to be uploaded, and why there is not all of it in that, if so. */
export async function restore({ Recording }, left) {
  const recording = new Recording();
  await recording.pushChunk(left.blob()).catch(() => {}); // the report says it
  const { error } = await recording.finish();
  return { recording, error };
}

/** Deletes it, and what is remembered of it, unless it is being uploaded. */
export function deleteLeft(left) {
  return whileIdle(left.name, async () => {
    await left.delete();
    downloaded.delete(left.name);
    failed.delete(left.name);
  });
}
