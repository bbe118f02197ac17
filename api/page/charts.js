// @ts-check
/** Line charts, small and by hand: a picture for the eye, a sentence for everyone. */

import { h, svg } from "./dom.js";
import { t } from "./i18n.js";

const WIDTH = 320;
const HEIGHT = 96;

/**
 * @typedef {{name: string, values: (number | null)[]}} Series null where nothing was measured
 * @typedef {{title: string, atMs: number[], series: Series[], format: (value: number) => string, top?: number,
 *   unit?: number}} Chart `top`: the least that the axis reaches up to; `unit`: in what it counts, where that is large
 */

/** @param {Chart} chart */
export function lineChart({ title, atMs, series, format, top = 0, unit = 1 }) {
  const measured = series.filter(({ values }) => values.some((value) => value !== null));
  if (!measured.length || atMs.length < 2) {
    return h("figure", { class: "chart" }, h("figcaption", {}, h("strong", {}, title)), h("p", { class: "soft small" }, t("nothing_yet")));
  }
  const highest = Math.max(top, ...measured.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const ceiling = highest < unit ? niceAbove(highest) : niceAbove(highest / unit) * unit;
  const x = (place) => (WIDTH * (atMs[place] - atMs[0])) / (atMs[atMs.length - 1] - atMs[0]);
  const y = (value) => HEIGHT - (HEIGHT * value) / ceiling;
  const summary = measured.map((one) => `${one.name}: ${summarize(one.values, format)}`).join("; ");
  const drawing = svg(
    "svg",
    { viewBox: `0 -2 ${WIDTH} ${HEIGHT + 4}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}. ${summary}` },
    svg("title", {}, title),
    [0, 0.5, 1].map((share) => svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: y(ceiling * share), y2: y(ceiling * share) })),
    measured.map((one, place) => svg("path", { class: `series s${place}`, d: path(one.values, x, y) })),
  );
  const minutes = Math.round((atMs[atMs.length - 1] - atMs[0]) / 60_000);
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, h("strong", {}, title), legend(measured, format)),
    h("div", { class: "plot" }, h("p", { class: "axis numbers", "aria-hidden": "true" }, h("span", {}, format(ceiling)), h("span", {}, format(0))), drawing),
    h("p", { class: "times numbers" }, h("span", {}, t("chart_minutes", { n: minutes })), h("span", {}, t("chart_now"))),
    h("p", { class: "visually-hidden" }, summary),
  );
}

/** @param {Series[]} series */
function legend(series, format) {
  return h(
    "span",
    { class: "legend numbers" },
    series.map((one, place) =>
      h("span", {}, h("i", { class: `key s${place}` }), series.length > 1 && `${one.name} `, h("b", {}, format(lastOf(one.values)))),
    ),
  );
}

/** One line for each run of values between gaps. */
function path(values, x, y) {
  let pen = "M";
  return values
    .map((value, place) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const step = `${pen}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
      // A value between two gaps is a dot: a line as long as it is thick.
      const alone = pen === "M" && (values[place + 1] ?? null) === null ? "h.01" : "";
      pen = "L";
      return step + alone;
    })
    .join("");
}

function summarize(values, format) {
  const there = values.filter((value) => value !== null);
  const mean = there.reduce((sum, value) => sum + value, 0) / there.length;
  return t("chart_summary", { now: format(lastOf(values)), mean: format(mean), max: format(Math.max(...there)) });
}

const lastOf = (values) => values.findLast((value) => value !== null) ?? 0;

/** The next of 1, 2, 4, 5, 10 times a power of ten. @param {number} value */
function niceAbove(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 5, 10].find((step) => step * power >= value * 0.999) ?? 10);
}
