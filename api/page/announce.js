// @ts-check
/** What a screen reader is told: now and then, not with every segment. */

import { byId, say } from "./dom.js";
import { onLanguage } from "./i18n.js";

const PAUSE_MS = 10_000;

let lastMs = 0;

/** Tell something that passes, unless something was told a moment ago. @param {string} text */
export function announceSometimes(text) {
  if (performance.now() - lastMs > PAUSE_MS) announce(text);
}

/** Tell something that counts. @param {string} text */
export function announce(text) {
  lastMs = performance.now();
  say(byId("announcer"), text);
}

onLanguage(() => say(byId("announcer"), ""));
