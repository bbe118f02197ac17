// @ts-check
/** The dashboard: asks `/health` and `/stats` every two seconds while it is looked at. */

import { Alerts } from "./alerts.js";
import { getJson } from "./api.js";
import { byId, h, icon, keyed, say } from "./dom.js";
import { clock, number, percent, short, span } from "./format.js";
import { History } from "./history.js";
import { onLanguage, t } from "./i18n.js";
import { showInstances, showSegmenters } from "./instances.js";
import { LogTail } from "./log.js";
import { nameOf } from "./names.js";
import { Poller } from "./poller.js";

const EVERY_MS = 2_000;

/** Health → its icon. */
const ICONS = { healthy: "check", degraded: "warning", unhealthy: "cross", away: "lost", unknown: "loading" };

export class Dashboard {
  /** @param {{onModel: (health: any) => void}} on */
  constructor({ onModel }) {
    this.onModel = onModel;
    this.shown = false;
    /** @type {any} */
    this.health = undefined;
    /** @type {any} */
    this.stats = null;
    this.history = new History(() => this.render());
    this.alerts = new Alerts();
    this.log = new LogTail();
    this.poller = new Poller(ask, EVERY_MS, ({ health, stats }) => {
      this.health = health;
      this.stats = stats ?? this.stats; // without a key there may be the one and not the other
      this.onModel(health);
      this.render();
    });
    document.addEventListener("visibilitychange", () => this.#turn());
    onLanguage(() => this.shown && this.render());
  }

  /** Show it, or stop asking. @param {boolean} shown */
  show(shown) {
    if (this.shown === shown) return;
    this.shown = shown;
    this.#turn();
  }

  /** What costs the service something runs while it is looked at. */
  #turn() {
    const on = this.shown && !document.hidden;
    if (on) this.render();
    for (const part of [this.poller, this.history, this.alerts, this.log]) part.turn(on);
  }

  render() {
    const { health, stats } = this;
    keyed(byId("tiles"), this.#tiles(), (tile) => tile.key, createTile, updateTile);
    byId("instances").classList.toggle("stale", health === null);
    if (!health || !stats) return;
    showInstances(health.health_details, stats.model_pool_stats.instances);
    showSegmenters(health.segmenters);
    // Each host has an instance-1, and the log all of them under this name.
    const processes = [...health.health_details, ...health.segmenters].map((worker) => worker.instance.split("@")[0]);
    this.log.setProcesses([...new Set(processes)]);
    showRunning(stats);
  }

  #tiles() {
    const { health, stats } = this;
    const latest = this.history.latest;
    const status = health === undefined ? "unknown" : (health?.status ?? "away");
    const pool = stats?.model_pool_stats;
    return [
      { key: "status", mood: status, icon: ICONS[status], big: t(`health_${status}`), note: status === "unknown" ? "" : t(`health_${status}_note`) },
      health && { key: "ready", title: t("tile_ready"), big: number(health.healthy_instances), note: t("tile_of", { n: health.total_instances }) },
      stats && {
        key: "queue",
        title: t("tile_queue"),
        big: number(stats.running.length),
        note: latest ? t("tile_queue_note", { n: latest.queue.waiting_jobs }) : t("tile_running_note"),
      },
      latest && {
        key: "throughput",
        title: t("tile_throughput"),
        big: t("times_real", { n: short(latest.rtfx ?? 0) }),
        note: t("tile_rate", { n: short(latest.requests_per_s ?? 0) }),
      },
      latest && {
        key: "latency",
        title: `${t("tile_latency")} p95`,
        big: latest.latency_s ? span(latest.latency_s.p95 * 1000) : "–",
        note: latest.latency_s
          ? t("tile_latency_note", { p50: span(latest.latency_s.p50 * 1000), p99: span(latest.latency_s.p99 * 1000) })
          : "",
      },
      pool && {
        key: "success",
        title: t("tile_success"),
        big: pool.total_requests ? percent(pool.success_rate) : "–",
        note: t("tile_success_note", { n: number(pool.total_requests) }),
      },
    ].filter(Boolean);
  }
}

/** Both answers, null in place of one that did not come. */
/** @param {AbortSignal} signal */
async function ask(signal) {
  const answered = (path, accept) => getJson(path, { accept, quiet: true, signal }).catch(() => null);
  const [health, stats] = await Promise.all([answered("health", [503]), answered("stats", [])]);
  return { health, stats };
}

function createTile() {
  return h("div", {}, h("p", { class: "title small soft" }), h("p", { class: "big numbers" }), h("p", { class: "small soft numbers" }));
}

function updateTile(node, tile) {
  node.className = `tile ${tile.mood ?? ""}`;
  const [title, big, note] = node.children;
  say(title, tile.title ?? t("dashboard"));
  title.hidden = !tile.title;
  if (big.getAttribute("data-shown") !== `${tile.icon} ${tile.big}`) {
    big.setAttribute("data-shown", `${tile.icon} ${tile.big}`);
    big.replaceChildren(...(tile.icon ? [icon(tile.icon)] : []), tile.big);
  }
  say(note, tile.note);
}

function showRunning(stats) {
  const ended = Object.entries(stats.jobs).filter(([, count]) => count > 0);
  const sums = ended.map(([state, count]) => `${t(`state_${state}`)} ${number(count)}`).join(" · ");
  const none = stats.running.length ? "" : `${t("running_none")} `;
  say(byId("running-note"), none + (sums ? `${t("ended")}: ${sums}` : ""));
  keyed(
    byId("running"),
    stats.running,
    (job) => job.job,
    (job) => h("li", {}, h("a", { href: `#/jobs/${job.job}` }), h("span", { class: "small soft numbers" }), h("progress", { max: 1 })),
    (node, job) => {
      const [link, text, bar] = node.children;
      say(link, nameOf(job.job));
      const parts = [
        t("running_progress", { done: number(job.finished_segments), total: number(job.segments) }),
        job.all_cut ? "" : t("running_cutting", { time: clock(job.cut_s * 1000) }),
        job.failed_segments ? t("running_failed", { n: job.failed_segments }) : "",
        span(job.running_s * 1000),
      ];
      say(text, parts.filter(Boolean).join(" · "));
      bar.setAttribute("aria-label", t("progress"));
      bar.value = job.segments ? job.finished_segments / job.segments : 0;
    },
  );
}
