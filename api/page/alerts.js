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
    /** @type {any[] | null} null where the service has no alerts */
    this.alerts = [];
    this.poller = new Poller(() => getJson("monitoring/alerts", { quiet: true }), EVERY_MS, (answer) => {
      this.alerts = answer?.alerts ?? null;
      this.#render();
    });
    onLanguage(() => this.#render());
  }

  /** @param {boolean} on */
  turn(on) {
    this.poller.turn(on);
  }

  #render() {
    const { alerts } = this;
    say(byId("alerts-note"), alerts === null ? t("not_available") : alerts.length ? "" : t("alerts_none"));
    keyed(byId("alerts"), alerts ?? [], (alert) => alert.name, create, update);
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
