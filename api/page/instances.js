// @ts-check
/** The tables of instances and segmenters. */

import { byId, h, icon, keyed, say } from "./dom.js";
import { memory, number, short, span } from "./format.js";
import { t } from "./i18n.js";

/** State → its icon; the word beside it says it too. */
const ICONS = { idle: "check", busy: "busy", loading: "loading", error: "warning", lost: "lost" };

/**
 * @typedef {{name: string, cells: Record<string, string>, state: string, look: string, reason: string | null}} Row
 *   `look`: the state in whose colour and with whose icon it is shown
 */

/** @param {any[]} details `/health`'s @param {any[]} counted `/stats`'s */
export function showInstances(details, counted) {
  const counts = new Map(counted.map((one) => [one.instance, one]));
  const rows = details.map((detail) => row(detail, counts.get(detail.instance)));
  table(byId("instances"), "instances", ["state", "device", "model", "memory", "gpu", "heard", "done", "speed"], rows);
}

/** @param {any[]} details */
export function showSegmenters(details) {
  const rows = details.map((detail) => row(detail, null));
  table(byId("segmenters"), "segmenters", ["state", "memory", "heard", "pid"], rows);
}

/** @returns {Row} */
function row(detail, counts) {
  const failed = counts?.failed_requests ? ` · ${t("some_failed", { n: number(counts.failed_requests) })}` : "";
  return {
    name: detail.instance,
    state: detail.state,
    look: detail.state === "loading" && detail.reason ? "error" : detail.state, // its predecessor has failed
    reason: detail.reason,
    cells: {
      device: detail.device ?? "–",
      model: detail.model ?? "–",
      memory: memory(detail.rss_mb),
      gpu: memory(detail.gpu_mb),
      heard: detail.heard_ms_ago === null ? t("never") : t("ago", { time: span(Math.max(1000, Math.round(detail.heard_ms_ago / 1000) * 1000)) }),
      done: counts ? number(counts.successful_requests) + failed : "",
      speed: counts?.busy_s ? t("times_real", { n: short(counts.audio_s / counts.busy_s) }) : "–",
      pid: detail.pid === null ? "–" : `${detail.host ?? ""} ${detail.pid}`.trim(),
    },
  };
}

/** @param {Element} place @param {string} title @param {string[]} columns @param {Row[]} rows */
function table(place, title, columns, rows) {
  // Nobody wants to see a column without a single value.
  const shown = columns.filter((name) => name === "state" || rows.some((one) => one.cells[name] !== "–"));
  const shape = [title, ...shown].map((name) => t(name === title ? name : `col_${name}`)).join();
  if (place.getAttribute("data-shape") !== shape) {
    place.setAttribute("data-shape", shape);
    const heads = ["name", ...shown].map((name) => h("th", { scope: "col", class: `of-${name}` }, t(`col_${name}`)));
    place.replaceChildren(
      h("table", {}, h("caption", { class: "visually-hidden" }, t(title)), h("thead", {}, h("tr", {}, heads)), h("tbody")),
    );
  }
  const body = /** @type {Element} */ (place.querySelector("tbody"));
  keyed(body, rows, (one) => one.name, (one) => create(one, shown), (node, one) => update(node, one, shown));
}

/** @param {Row} one @param {string[]} shown */
function create(one, shown) {
  const cells = shown.map((name) => h("td", { class: `numbers of-${name}`, "data-title": t(`col_${name}`) }));
  return h("tr", {}, h("th", { scope: "row" }, one.name), cells);
}

/** @param {any} node @param {Row} one @param {string[]} shown */
function update(node, one, shown) {
  node.className = one.look;
  shown.forEach((name, place) => {
    const cell = node.children[place + 1];
    if (name !== "state") return say(cell, one.cells[name]);
    const now = `${one.state} ${one.reason ?? ""}`;
    if (cell.getAttribute("data-now") === now) return;
    cell.setAttribute("data-now", now);
    cell.replaceChildren(
      h("span", { class: `state ${one.look}` }, icon(ICONS[one.look] ?? "warning"), t(`condition_${one.state}`)),
      one.reason ? h("span", { class: "reason small" }, one.reason) : "",
    );
  });
}
