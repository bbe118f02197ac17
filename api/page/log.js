// @ts-check
/** The end of the log, as it is written, from `/monitoring/logs`. */

import { ApiError } from "./api.js";
import { byId, h, say } from "./dom.js";
import { timeOfDay } from "./format.js";
import { onLanguage, t } from "./i18n.js";
import { follow } from "./sse.js";

const MOST_LINES = 500;
const LEVELS = ["debug", "info", "warning", "error"];

/** Fields that have a place of their own. */
const PLACED = new Set(["timestamp", "level", "process", "host", "event"]);

export class LogTail {
  constructor() {
    this.on = false;
    this.paused = false;
    this.missing = false;
    this.processes = new Set(["api", "monitor"]);
    this.following = new AbortController();
    byId("log-level").addEventListener("change", () => this.#restart());
    byId("log-process").addEventListener("change", () => this.#restart());
    byId("log-clear").addEventListener("click", () => byId("log").replaceChildren());
    byId("log-pause").addEventListener("click", () => {
      this.paused = !this.paused;
      this.#render();
      this.#restart();
    });
    onLanguage(() => this.#render());
    this.#render();
  }

  /** @param {boolean} on */
  turn(on) {
    if (on === this.on) return;
    this.on = on;
    this.#restart();
  }

  /** Offer these in the filter. @param {string[]} names */
  setProcesses(names) {
    const before = this.processes.size;
    for (const name of names) this.processes.add(name);
    if (this.processes.size !== before) this.#render();
  }

  async #restart() {
    this.following.abort();
    this.following = new AbortController();
    if (!this.on || this.paused || this.missing) return;
    const { signal } = this.following;
    const query = new URLSearchParams();
    for (const name of ["level", "process"]) {
      if (byId(`log-${name}`).value) query.set(name, byId(`log-${name}`).value);
    }
    byId("log").replaceChildren();
    say(byId("log-note"), t("log_waiting"));
    try {
      await follow(`monitoring/logs?${query}`, {
        signal,
        quiet: true,
        onBroken: (broken) =>
          say(byId("log-note"), broken ? t("reconnecting") : byId("log").children.length ? "" : t("log_waiting")),
        onEvent: ({ event, data }) => event === "log" && this.#add(JSON.parse(data)),
      });
    } catch (error) {
      this.missing = error instanceof ApiError && error.status === 404;
      this.#render();
    }
  }

  /** @param {Record<string, unknown>} entry */
  #add(entry) {
    const log = byId("log");
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
    const rest = Object.entries(entry).filter(([name]) => !PLACED.has(name));
    log.append(
      h(
        "div",
        { class: `entry ${entry.level}` },
        h("span", { class: "soft numbers" }, timeOfDay(/** @type {string} */ (entry.timestamp))),
        h("span", { class: "level" }, String(entry.level)),
        h("span", { class: "soft" }, String(entry.process ?? "")),
        h(
          "span",
          {},
          h("b", {}, String(entry.event)),
          rest.map(([name, value]) => [h("span", { class: "soft" }, ` ${name}=`), typeof value === "string" ? value : JSON.stringify(value)]).flat(),
        ),
      ),
    );
    while (log.children.length > MOST_LINES) log.firstChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
    say(byId("log-note"), "");
    if (entry.process) this.setProcesses([String(entry.process)]);
  }

  #render() {
    fill(byId("log-level"), LEVELS.map((level) => [level, level === "error" ? level : t("log_from", { level })]));
    fill(byId("log-process"), [...this.processes].sort(inOrder).map((name) => [name, name]));
    say(byId("log-pause"), t(this.paused ? "log_resume" : "log_pause"));
    byId("log").hidden = this.missing;
    byId("log-filters").hidden = this.missing;
    if (this.missing) say(byId("log-note"), t("not_available"));
  }
}

const inOrder = (one, other) => one.localeCompare(other, "en", { numeric: true });

/** @param {any} select @param {string[][]} choices value and text */
function fill(select, choices) {
  const { value } = select;
  select.replaceChildren(h("option", { value: "" }, t("log_any")), ...choices.map(([name, text]) => h("option", { value: name }, text)));
  select.value = value;
}
