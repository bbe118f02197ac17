// @ts-check
/** The names of recordings handed in from this browser: the service keeps none. */

import { t } from "./i18n.js";
import { keep, kept } from "./memory.js";

const MOST = 200;

/** @returns {Record<string, string>} */
const names = () => kept("names", {});

/** @param {string} id @param {string} name */
export function remember(id, name) {
  const entries = Object.entries({ ...names(), [id]: name });
  keep("names", Object.fromEntries(entries.slice(-MOST)));
}

/** @param {string} id */
export const isMine = (id) => id in names();

/** @param {string} id */
export const nameOf = (id) => names()[id] ?? t("job_of", { id: id.slice(0, 8) });

/** A deleted job's record stays at the service until it expires: it is not shown any more. @param {string} id */
export function hide(id) {
  keep("hidden", [...kept("hidden", /** @type {string[]} */ ([])), id].slice(-MOST));
}

/** @returns {Set<string>} */
export const hidden = () => new Set(kept("hidden", []));
