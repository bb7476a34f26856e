// The service: requests with the key that was typed, and refusals as one sentence each.
import { say } from "./words.js";

export const LONGEST = 20000; // milliseconds until a request is given up
let key = "";
export const useKey = (typed) => { key = typed.trim(); };

export class Refused extends Error {
  constructor(sentence, status = 0) {
    super(sentence);
    this.status = status;
  }
}

async function ask(path, options, signal) {
  const headers = { ...options.headers };
  if (key) headers.Authorization = `Bearer ${key}`;
  const limit = AbortSignal.timeout(LONGEST);
  let reply;
  try {
    reply = await fetch(path, { ...options, headers, signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (reason) {
    if (signal?.aborted) throw reason;
    if (reason.name === "TimeoutError") throw new Refused(say("late"));
    throw new Refused(say(navigator.onLine ? "away" : "offline"));
  }
  if (reply.ok) return reply;
  const told = await reply.json().catch(() => ({}));
  throw new Refused(reply.status === 401 ? say("needKey") : told.error || say("away"), reply.status);
}

const json = (fields) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });

export async function search(query, signal) {
  const form = new FormData();
  for (const photo of query.photos) form.append("image", photo.file, "photo");
  const { photos, filters, ...fields } = query;
  for (const [name, value] of Object.entries(fields)) if (value !== "" && value !== undefined) form.append(name, String(value));
  if (Object.keys(filters).length) form.append("filters", JSON.stringify(filters));
  return (await ask("search", { method: "POST", body: form }, signal)).json();
}

export const similar = async (fields, signal) => (await ask("similar", json(fields), signal)).json();

const pictures = new Map(); // id -> promise of an object URL
export function picture(id) {
  if (!pictures.has(id)) {
    const found = ask(`pictures/${encodeURIComponent(id)}`, {}).then((reply) => reply.blob()).then(URL.createObjectURL);
    found.catch(() => pictures.delete(id));
    pictures.set(id, found);
  }
  return pictures.get(id);
}
