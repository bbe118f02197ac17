// @ts-check
/** The last hour in charts, from `/monitoring/history`. */

import { getJson } from "./api.js";
import { lineChart } from "./charts.js";
import { byId, say } from "./dom.js";
import { memory, percent, short, span } from "./format.js";
import { onLanguage, t } from "./i18n.js";
import { Poller } from "./poller.js";

const EVERY_MS = 10_000;
const MINUTES = 60;

export class History {
  /** @param {() => void} onNews */
  constructor(onNews) {
    /** @type {any[] | null} null where the service has no history */
    this.snapshots = [];
    this.poller = new Poller(() => getJson(`monitoring/history?minutes=${MINUTES}`, { quiet: true }), EVERY_MS, (answer) => {
      this.snapshots = answer?.snapshots ?? null;
      this.#render();
      onNews();
    });
    onLanguage(() => this.#render());
  }

  /** The newest snapshot, if there is one. */
  get latest() {
    return this.snapshots?.at(-1) ?? null;
  }

  /** @param {boolean} on */
  turn(on) {
    this.poller.turn(on);
  }

  #render() {
    const { snapshots } = this;
    say(byId("history-note"), snapshots === null ? t("not_available") : snapshots.length < 2 ? t("nothing_yet") : "");
    byId("charts").replaceChildren(...(snapshots !== null && snapshots.length >= 2 ? charts(snapshots) : []));
  }
}

/** @param {any[]} snapshots */
function charts(snapshots) {
  const atMs = snapshots.map((one) => one.at_ms);
  const every = (pick) => snapshots.map((one) => pick(one) ?? null);
  const seconds = (value) => span(value * 1000);
  const chart = (name, series, format, scale = {}) => lineChart({ title: t(`chart_${name}`), atMs, series, format, ...scale });
  const one = (name, pick, format, scale) => chart(name, [{ name: t("chart_now"), values: every(pick) }], format, scale);
  const share = { top: 1 };
  const gigabytes = { unit: 1024 };
  const whole = { ...gigabytes, top: snapshots.at(-1).memory_total_mb ?? 0 };
  const busy = (shot) => mean((shot.instances ?? []).map((instance) => instance.busy));
  const indices = [...new Set(snapshots.flatMap((shot) => (shot.gpus ?? []).map((gpu) => gpu.index)))].sort((a, b) => a - b);
  const gpus = (pick) =>
    indices.map((index) => ({
      name: `GPU ${index}`,
      values: every((shot) => {
        const gpu = shot.gpus?.find((other) => other.index === index);
        return gpu ? pick(gpu) : null;
      }),
    }));
  return [
    one("requests", (shot) => shot.requests_per_s, short),
    one("speed", (shot) => shot.rtfx, (value) => t("times_real", { n: short(value) })),
    chart("latency", ["p50", "p95", "p99"].map((name) => ({ name, values: every((shot) => shot.latency_s?.[name]) })), seconds),
    chart(
      "queue",
      [
        { name: t("series_jobs"), values: every((shot) => shot.queue?.waiting_jobs) },
        { name: t("series_segments"), values: every((shot) => shot.queue?.segments_waiting) },
      ],
      short,
    ),
    one("busy", busy, percent, share),
    one("cpu", (shot) => shot.cpu, percent, share),
    one("memory", (shot) => shot.memory_mb, memory, whole),
    one("success", (shot) => shot.success_rate, percent, share),
    ...(indices.length ? [chart("gpu", gpus((gpu) => gpu.utilisation), percent, share), chart("gpu_memory", gpus((gpu) => gpu.memory_mb), memory, gigabytes)] : []),
  ];
}

/** @param {(number | null)[]} values */
function mean(values) {
  const there = values.filter((value) => value !== null && value !== undefined);
  return there.length ? there.reduce((sum, value) => sum + value, 0) / there.length : null;
}
