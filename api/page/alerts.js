// @ts-check
/** What the monitor warns of, from `/monitoring/alerts`. */

import { getJson } from "./api.js";
import { byId, h, icon, keyed, say } from "./dom.js";
import { short, span, when } from "./format.js";
import { known, onLanguage, t } from "./i18n.js";
import { Poller } from "./poller.js";

const EVERY_MS = 5_000;

export class Alerts {
  constructor() {
    /** @type {{alerts: any[], judged_ms: number | null, is_stale: boolean} | null | undefined}
     * null where the service has no alerts, undefined while it does not answer */
    this.book = undefined;
    const learn = (/** @type {any} */ book) => {
      this.book = book;
      this.#render();
    };
    this.poller = new Poller(() => getJson("monitoring/alerts", { quiet: true }), EVERY_MS, learn, () => learn(undefined));
    onLanguage(() => this.#render());
  }

  /** @param {boolean} on */
  turn(on) {
    this.poller.turn(on);
  }

  #render() {
    const note = byId("alerts-note");
    say(note, this.#note());
    note.classList.toggle("bad", Boolean(this.book?.is_stale));
    keyed(byId("alerts"), this.book?.alerts ?? [], (alert) => alert.name, create, update);
  }

  /** What stands above the alerts: without a monitor that looks, none of them is no good news. */
  #note() {
    const { book } = this;
    if (book === undefined) return t("alerts_unknown");
    if (book === null) return t("not_available");
    if (book.is_stale) return book.judged_ms === null ? t("alerts_never") : t("alerts_stale", { time: when(book.judged_ms) });
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
