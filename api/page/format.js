// @ts-check
/** Numbers, sizes and times as people read them. */

import { locale, t } from "./i18n.js";

/** @param {number} value @param {number} [digits] decimal places, at most */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** A number with about two places that matter: 0.034, 1.2, 37. @param {number} value */
export function short(value) {
  return number(value, value === 0 || value >= 10 ? 0 : value >= 1 ? 1 : value >= 0.1 ? 2 : 3);
}

/** @param {number} share between 0 and 1 */
export const percent = (share) =>
  new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: share > 0.99 && share < 1 ? 2 : 0 }).format(
    share,
  );

/** @param {number} bytes */
export function size(bytes) {
  const unit = bytes >= 1 << 30 ? 30 : bytes >= 1 << 20 ? 20 : 10;
  const name = unit === 30 ? "GB" : unit === 20 ? "MB" : "KB";
  return `${number(bytes / 2 ** unit, unit === 10 ? 0 : 1)} ${name}`;
}

/** @param {number | null | undefined} mb mebibytes */
export function memory(mb) {
  if (mb === null || mb === undefined) return "–";
  return mb >= 1024 ? `${number(mb / 1024, 1)} GB` : `${number(mb)} MB`;
}

/** A place in a recording: 0:07, 12:34, 1:02:03. @param {number} ms */
export function clock(ms) {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const tail = String(seconds % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** A length of time: 40 ms, 3.2 s, 5 min, 2 h. @param {number} ms */
export function span(ms) {
  if (ms < 1000) return t("unit_ms", { n: number(ms) });
  if (ms < 60_000) return t("unit_s", { n: number(ms / 1000, ms < 10_000 ? 1 : 0) });
  if (ms < 3_600_000) return t("unit_min", { n: number(ms / 60_000) });
  return t("unit_h", { n: number(ms / 3_600_000, 1) });
}

/** When something was: just now, 5 minutes ago, else the date. @param {number} atMs Unix milliseconds */
export function when(atMs) {
  const minutes = Math.round((Date.now() - atMs) / 60_000);
  if (minutes < 1) return t("just_now");
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  if (minutes < 60) return relative.format(-minutes, "minute");
  if (minutes < 24 * 60) return relative.format(-Math.round(minutes / 60), "hour");
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(atMs);
}

/** The time of day. @param {number | string} at */
export function timeOfDay(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toLocaleTimeString(locale(), { hour12: false });
}
