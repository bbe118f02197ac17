// @ts-check
/** What the browser remembers. It may refuse to (private windows): then the page forgets, and works. */

const PREFIX = "quintet.";

/**
 * What was kept under this name.
 * @template T
 * @param {string} name
 * @param {T} fallback
 * @param {() => Storage} [where] a function, because even naming a refused storage throws
 * @returns {T}
 */
export function kept(name, fallback, where = () => localStorage) {
  try {
    const text = where().getItem(PREFIX + name);
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

/**
 * Keep something; `null` forgets it.
 * @param {string} name
 * @param {unknown} value
 * @param {() => Storage} [where]
 */
export function keep(name, value, where = () => localStorage) {
  try {
    if (value === null) where().removeItem(PREFIX + name);
    else where().setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // nothing is kept, nothing breaks
  }
}

/** Until the tab is closed. */
export const untilClosed = () => sessionStorage;
