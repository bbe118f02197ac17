// @ts-check
/** Server-sent events through fetch: `EventSource` cannot send an `Authorization` header. */

import { ApiError, request } from "./api.js";

/** @typedef {{event: string, data: string, id: string | null}} ServerEvent */

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/** Takes a stream's text in pieces, however they are cut, and gives its events. */
export class EventParser {
  constructor() {
    this.rest = "";
    /** The id of the last event: where to go on from. @type {string | null} */
    this.lastId = null;
    this.event = "";
    /** @type {string[]} */
    this.data = [];
  }

  /** @param {string} text @returns {ServerEvent[]} the events that are complete with it */
  push(text) {
    /** @type {ServerEvent[]} */
    const complete = [];
    // A \r at the very end may be half of a \r\n: it waits for the rest.
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") this.#finish(complete);
      else this.#field(line);
    }
    return complete;
  }

  /** @param {ServerEvent[]} complete */
  #finish(complete) {
    if (this.data.length) {
      complete.push({ event: this.event || "message", data: this.data.join("\n"), id: this.lastId });
    }
    this.event = "";
    this.data = [];
  }

  /** @param {string} line */
  #field(line) {
    const colon = line.indexOf(":");
    if (colon === 0) return; // a comment
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.event = value;
    else if (name === "data") this.data.push(value);
    else if (name === "id") this.lastId = value;
  }
}

/**
 * Follow a stream of events until it is over, the service refuses it, or `signal` says so; where the connection
 * breaks it is taken up again behind the last event, after pauses that grow.
 * @param {string} path
 * @param {{onEvent: (event: ServerEvent) => void, onBroken?: (broken: boolean) => void, signal: AbortSignal,
 *   quiet?: boolean}} options
 * @throws {ApiError} the service refuses the stream
 */
export async function follow(path, { onEvent, onBroken = () => {}, signal, quiet = false }) {
  /** @type {string | null} */
  let lastId = null;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      /** @type {Record<string, string>} */
      const headers = { Accept: "text/event-stream", ...(lastId === null ? {} : { "Last-Event-ID": lastId }) };
      const answer = await request(path, { headers, signal, quiet });
      if (answer.status === 204) return;
      onBroken(false);
      const parser = new EventParser();
      parser.lastId = lastId;
      for await (const text of pieces(answer)) {
        pauseMs = FIRST_PAUSE_MS;
        for (const event of parser.push(text)) {
          lastId = event.id;
          onEvent(event);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
    }
    if (signal.aborted) return;
    onBroken(true);
    await pause(pauseMs * (0.75 + Math.random() / 2), signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** @param {Response} answer */
async function* pieces(answer) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield decoder.decode(value, { stream: true });
  }
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
