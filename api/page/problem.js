// @ts-check
/** Failures in plain words: what it means, then what the service said of it. */

import { ApiError } from "./api.js";
import { h, icon } from "./dom.js";
import { known, t } from "./i18n.js";

/** @param {number} status HTTP's; 0 for no answer */
export const meaning = (status) => t(known(`error_${status}`) ? `error_${status}` : "error_other");

/** @param {unknown} error @returns {{status: number | null, detail: string}} */
export const facts = (error) =>
  error instanceof ApiError
    ? { status: error.status, detail: error.detail }
    : { status: null, detail: error instanceof Error ? error.message : String(error) };

/**
 * Show a failure, or with null that there is none.
 * @param {any} node
 * @param {{status: number | null, detail: string} | null} failure
 * @param {(() => void) | null} [again] what "try again" does
 */
export function showProblem(node, failure, again = null) {
  node.hidden = failure === null;
  if (failure === null) return node.replaceChildren();
  node.replaceChildren(
    icon("warning"),
    h(
      "div",
      {},
      h("strong", {}, meaning(failure.status ?? -1)),
      failure.detail && h("p", { class: "small" }, failure.detail),
      failure.status ? h("p", { class: "small soft" }, t("error_status", { status: failure.status })) : null,
    ),
    ...(again ? [h("button", { type: "button", onclick: again }, t("try_again"))] : []),
  );
}
