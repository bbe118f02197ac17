// @ts-check
/** How far a job is: upload, queue, recognition. */

import { announceSometimes } from "./announce.js";
import { byId, h, icon, keyed, say } from "./dom.js";
import { number, size, span } from "./format.js";
import { t } from "./i18n.js";

const STEPS = ["upload", "queue", "recognise"];

/**
 * Show the upload.
 * @param {number} share between 0 and 1
 * @param {number} bytes
 */
export function showUpload(share, bytes) {
  const percent = Math.round(share * 100);
  const sent = share >= 1 ? t("progress_storing") : t("progress_upload", { percent, size: size(bytes) });
  show(0, share < 1 ? share : null, sent);
}

/** Show where a job stands that has not ended. @param {any} job */
export function showJob(job) {
  if (job.state === "queued") {
    return show(1, null, job.position ? t("progress_queued", { n: job.position }) : t("progress_storing"));
  }
  const { total, finished } = job.segments;
  const { done_s: done, total_s: all } = job.audio;
  const share = all ? Math.min(1, done / all) : job.cut && total ? finished / total : null;
  const counted = t(job.cut ? "progress_segments" : "progress_cutting", { done: number(finished), total: number(total) });
  const left = job.eta_s === null ? "" : ` · ${t("progress_eta", { time: span(Math.max(1, Math.ceil(job.eta_s)) * 1000) })}`;
  show(2, share, counted + left);
  if (share !== null) announceSometimes(`${t("percent_done", { n: Math.round(share * 100) })} ${t("lines_so_far", { n: finished })}`);
}

export const hideProgress = () => (byId("progress").hidden = true);

/** Say in place of the numbers that nothing is heard at the moment. */
export const showBroken = () => say(byId("progress-text"), t("reconnecting"));

/** @param {number} step @param {number | null} share null where that is not known @param {string} text */
function show(step, share, text) {
  byId("progress").hidden = false;
  const bar = byId("bar");
  bar.setAttribute("aria-label", t("progress"));
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
  say(byId("progress-text"), text);
  keyed(
    byId("steps"),
    STEPS,
    (name) => name,
    () => h("li", {}, h("span", { class: "dot" }), h("span")),
    (node, name) => {
      const place = STEPS.indexOf(name);
      node.className = place < step ? "past" : place === step ? "now" : "";
      node.toggleAttribute("aria-current", place === step);
      node.firstChild.replaceChildren(...(place < step ? [icon("check")] : []));
      say(node.lastChild, t(`step_${name}`));
    },
  );
}
