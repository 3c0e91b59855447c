// What a page that crashed or was closed has left on this computer, and which of it was
// being uploaded.

/** Where the page remembers which upload a recording has, by the name of its copy on disk. */
const key = (name) => `upload of ${name}`;

export const rememberUpload = (name, id) => localStorage.setItem(key(name), id);

export const forgetUpload = (name) => localStorage.removeItem(key(name));

/** All that is left, with the upload that it had, if any. */
export async function listLeft({ Recording }) {
  const all = await Recording.recoverable();
  return all.map((left) => ({ left, upload: localStorage.getItem(key(left.name)) }));
}

/** A recording of it, to be uploaded. */
export async function restore({ Recording }, left) {
  const recording = new Recording();
  await recording.pushChunk(left.blob());
  await recording.finish();
  return recording;
}

/** Deletes it, and what is remembered of it. */
export async function deleteLeft(left) {
  await left.delete();
  forgetUpload(left.name);
}
