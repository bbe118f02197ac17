// @ts-check
/** The service: every request of the page goes through here, with the key if there is one. */

import { askForKey, currentKey } from "./key.js";

/** Relative to the document, so that the page also works behind a proxy that serves it in a folder. */
const ROOT = new URL(".", document.baseURI);

/** A request that the service refused (`status` is HTTP's), or could not be asked (`status` 0). */
export class ApiError extends Error {
  /** @param {number} status @param {string} detail what the service says of it */
  constructor(status, detail) {
    super(detail || `HTTP ${status}`);
    this.status = status;
    this.detail = detail;
  }
}

/** @param {string} path @returns {URL} */
export const urlOf = (path) => new URL(path, ROOT);

/** The headers that say who asks. @returns {Record<string, string>} */
function identity() {
  const key = currentKey();
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/**
 * Ask the service; a 401 asks the user for a key and then the service again.
 * @param {string} path
 * @param {RequestInit & {quiet?: boolean, accept?: number[]}} [options] `quiet`: what nobody clicked for, so
 *   that a user who gave no key is not asked again; `accept`: statuses besides 2xx that are an answer
 * @returns {Promise<Response>}
 */
export async function request(path, { quiet = false, accept = [], ...options } = {}) {
  for (;;) {
    const key = currentKey();
    let answer;
    try {
      const headers = { ...options.headers, ...identity() };
      answer = await fetch(urlOf(path), { ...options, headers });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new ApiError(0, "");
    }
    if (answer.ok || accept.includes(answer.status)) return answer;
    if (answer.status === 401 && (await askForKey({ refused: key, quiet }))) continue;
    throw new ApiError(answer.status, detailOf(await answer.text()));
  }
}

/** @param {string} path @param {Parameters<typeof request>[1]} [options] @returns {Promise<any>} */
export async function getJson(path, options) {
  const answer = await request(path, options);
  try {
    return await answer.json();
  } catch (error) {
    if (options?.signal?.aborted) throw error;
    throw new ApiError(0, "");
  }
}

/**
 * Hand in a recording. XMLHttpRequest, because fetch tells nothing of how far an upload is.
 * @param {FormData} form
 * @param {{idempotencyKey: string, onProgress: (share: number) => void, signal: AbortSignal}} options
 * @returns {Promise<any>} the job
 */
export async function upload(form, options) {
  for (;;) {
    const key = currentKey();
    const { status, body } = await send(form, options);
    if (status >= 200 && status < 300) return JSON.parse(body);
    if (status === 401 && (await askForKey({ refused: key, quiet: false }))) continue;
    throw new ApiError(status, detailOf(body));
  }
}

/** @returns {Promise<{status: number, body: string}>} */
function send(form, { idempotencyKey, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest();
    asked.open("POST", urlOf("jobs"));
    for (const [name, value] of Object.entries(identity())) asked.setRequestHeader(name, value);
    asked.setRequestHeader("Idempotency-Key", idempotencyKey);
    asked.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    asked.onload = () => resolve({ status: asked.status, body: asked.responseText });
    asked.onerror = () => reject(new ApiError(0, ""));
    asked.onabort = () => reject(new DOMException("aborted", "AbortError"));
    signal.addEventListener("abort", () => asked.abort());
    asked.send(form);
  });
}

/** What problem details, or whatever came, say in words. @param {string} body */
function detailOf(body) {
  try {
    const problem = JSON.parse(body);
    return String(problem.detail ?? problem.msg ?? problem.error?.message ?? "");
  } catch {
    return "";
  }
}

/** A name for an upload that may be sent twice; `randomUUID` is there on https only. */
export function idempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
