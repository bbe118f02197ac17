// @ts-check
/** What the monitor warns of, from `/monitoring/alerts`. */

import { getJson } from "./api.js";
import { byId, h, icon, keyed, say } from "./dom.js";
import { short, span } from "./format.js";
import { known, onLanguage, t } from "./i18n.js";
import { Poller } from "./poller.js";

const EVERY_MS = 5_000;

export class Alerts {
  constructor() {
    /** @type {{alerts: any[], judged_ms: number | null, is_stale: boolean} | null | undefined}
     * what the service said last; null where it has no alerts, undefined before it was asked */
    this.book = undefined;
    this.silent = false;
    const ask = (/** @type {AbortSignal} */ signal) => getJson("monitoring/alerts", { quiet: true, signal });
    const learn = (/** @type {any} */ book, silent = false) => {
      this.book = book;
      this.silent = silent;
      this.#render();
    };
    this.poller = new Poller(ask, EVERY_MS, learn, () => learn(this.book, true));
    onLanguage(() => this.#render());
  }

  /** @param {boolean} on */
  turn(on) {
    this.poller.turn(on);
  }

  #render() {
    const note = byId("alerts-note");
    say(note, this.#note());
    note.classList.toggle("bad", this.silent || Boolean(this.book?.is_stale));
    keyed(byId("alerts"), this.book?.alerts ?? [], (alert) => alert.name, create, update);
  }

  /** What stands above the alerts: without a monitor that looks, none of them is no good news. */
  #note() {
    const { book, silent } = this;
    if (silent) return t("alerts_unknown");
    if (book === undefined) return "";
    if (book === null) return t("not_available");
    if (book.is_stale) return book.judged_ms === null ? t("alerts_never") : t("alerts_stale", { time: span(Date.now() - book.judged_ms) });
    return book.alerts.length ? "" : t("alerts_none");
  }
}

const create = () => h("li", {}, h("span", { class: "state" }), h("div", {}, h("strong"), h("p", { class: "small" }), h("p", { class: "small soft numbers" })));

function update(node, alert) {
  const firing = alert.state === "firing";
  const [state, text] = node.children;
  node.className = `alert ${firing ? alert.severity : "resolved"}`;
  const word = t(firing ? (known(`severity_${alert.severity}`) ? `severity_${alert.severity}` : "alert_firing") : "alert_resolved");
  if (state.textContent !== word) state.replaceChildren(icon(firing ? "warning" : "check"), word);
  state.className = `state ${firing ? alert.severity : "resolved"}`;
  const [name, summary, numbers] = text.children;
  say(name, alert.name);
  say(summary, alert.summary ?? "");
  const shown = (value) => (typeof value === "number" ? short(value) : String(value ?? "–"));
  const value = t("alert_value", { value: shown(alert.value), threshold: shown(alert.threshold) });
  const time = span(Math.max(1000, Date.now() - alert.since_ms));
  say(numbers, `${value} · ${t(firing ? "alert_since" : "ago", { time })}`);
}
