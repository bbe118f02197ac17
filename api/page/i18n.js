// @ts-check
/** The page's two languages: which one is on, and what it says. */

import { DASHBOARD_STRINGS } from "./dashboard_strings.js";
import { keep, kept } from "./memory.js";
import { STRINGS } from "./strings.js";

const ALL = { ...STRINGS, ...DASHBOARD_STRINGS };
const LANGUAGES = ["en", "zh"];

/** @type {Set<() => void>} */
const listeners = new Set();

let language = initial();

function initial() {
  const wanted = kept("language", null) ?? navigator.language.slice(0, 2);
  return LANGUAGES.includes(wanted) ? wanted : "en";
}

/** The language that is on, as a tag for `lang` and `Intl`. */
export const locale = () => (language === "zh" ? "zh-CN" : "en");

/**
 * The text of this name, with `{placeholders}` filled in.
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 */
export function t(name, values = {}) {
  const text = ALL[name]?.[LANGUAGES.indexOf(language)] ?? name;
  return text.replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ""));
}

/** Whether there is a text of this name. @param {string} name */
export const known = (name) => name in ALL;

/** The name of a spoken language, in the page's. @param {string} code */
export function languageName(code) {
  if (code === "auto") return t("lang_auto");
  try {
    return new Intl.DisplayNames([locale()], { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** Write the texts into the elements that name them in `data-t` (content) and `data-t-label` (aria-label). */
export function translate(root = document) {
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.getAttribute("data-t") ?? "");
  for (const node of root.querySelectorAll("[data-t-label]")) {
    const text = t(node.getAttribute("data-t-label") ?? "");
    node.setAttribute("aria-label", text);
    node.setAttribute("title", text);
  }
  document.documentElement.lang = locale();
}

/** Switch to the other language, and tell everyone who shows texts. */
export function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  keep("language", language);
  translate();
  for (const listener of listeners) listener();
}

/** Be told when the language changes. @param {() => void} listener */
export const onLanguage = (listener) => void listeners.add(listener);
