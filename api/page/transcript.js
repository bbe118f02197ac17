// @ts-check
/** The lines of a transcript: shown as they come, played from, edited. */

import { byId, h, icon, say } from "./dom.js";
import { clock } from "./format.js";
import { known, languageName, onLanguage, t } from "./i18n.js";
import { keep, kept, untilClosed } from "./memory.js";
import { textOf } from "./subtitles.js";

/**
 * @typedef {{start_ms: number, end_ms: number, text: string, language: string | null, emotion?: string | null,
 *   event?: string | null, error: string | null}} Segment as the service sends it
 * @typedef {Segment & {edited: string | null}} Line
 */

/** What a line mostly is goes without colour. */
const USUAL = new Set(["neutral", "speech"]);

export class Transcript {
  /**
   * @param {{onPlay: (ms: number) => void, onEdit: () => void}} on
   */
  constructor({ onPlay, onEdit }) {
    this.onPlay = onPlay;
    this.onEdit = onEdit;
    this.list = byId("lines");
    /** @type {Line[]} */
    this.lines = [];
    this.current = -1;
    this.id = "";
    /** Whether the lines have changed while one was being edited. */
    this.stale = false;
    onLanguage(() => this.render());
  }

  /** Begin with a job's. @param {string} id */
  reset(id) {
    this.id = id;
    this.lines = [];
    this.current = -1;
    this.render();
  }

  /** One more line, while the job runs. @param {number} index @param {Segment} segment */
  add(index, segment) {
    this.lines[index] = { ...segment, edited: this.#kept()[index] ?? null };
    const row = this.#row(index);
    const old = this.list.children[index];
    if (old) old.replaceWith(row);
    else this.list.append(row);
  }

  /** All lines, with all that is known of them. @param {Segment[]} segments */
  setAll(segments) {
    const edits = this.#kept();
    this.lines = segments.map((segment, index) => ({ ...segment, edited: edits[index] ?? null }));
    this.stale = this.list.querySelector("textarea") !== null;
    if (!this.stale) this.render();
  }

  /** How many lines were edited. */
  get edits() {
    return this.lines.filter((line) => line.edited !== null).length;
  }

  undoEdits() {
    for (const line of this.lines) line.edited = null;
    this.#keepEdits();
    this.render();
  }

  render() {
    const rows = document.createDocumentFragment();
    this.lines.forEach((_, index) => rows.append(this.#row(index)));
    this.list.replaceChildren(rows);
    this.#mark(this.current);
  }

  /** Mark the line that is being said. @param {number | null} ms @param {boolean} follow whether to scroll to it */
  highlight(ms, follow) {
    const index = ms === null ? -1 : this.#at(ms);
    if (index === this.current) return;
    this.#mark(index);
    const row = this.list.children[index];
    if (!row || !follow || this.list.querySelector("textarea")) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    row.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }

  /** The last line that has begun. @param {number} ms */
  #at(ms) {
    let [low, high] = [0, this.lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lines[middle].start_ms <= ms + 1) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** @param {number} index */
  #mark(index) {
    this.list.children[this.current]?.removeAttribute("aria-current");
    this.list.children[index]?.setAttribute("aria-current", "true");
    this.current = index;
  }

  /** @param {number} index */
  #row(index) {
    const line = this.lines[index];
    const at = clock(line.start_ms);
    const play = () => this.onPlay(line.start_ms);
    const text = h("p", { class: "text", lang: line.language });
    say(text, textOf(line) || (line.error ? t("segment_failed", { why: line.error }) : t("no_words")));
    text.classList.toggle("soft", !textOf(line));
    text.addEventListener("click", () => getSelection()?.isCollapsed !== false && play());
    const time = h("button", { type: "button", class: "at numbers", "aria-label": t("play_from", { time: at }), onclick: play }, at);
    const pencil = h(
      "button",
      { type: "button", class: "quiet square edit", "aria-label": t("edit_line", { time: at }), title: t("edit_line", { time: at }), onclick: () => this.#edit(index) },
      icon("pencil"),
    );
    return h("li", {}, time, h("div", { class: "said" }, text), badges(line), pencil);
  }

  /** @param {number} index */
  #edit(index) {
    const line = this.lines[index];
    const row = this.list.children[index];
    const at = clock(line.start_ms);
    const field = h("textarea", { rows: "1", "aria-label": t("edit_line", { time: at }), lang: line.language });
    field.value = textOf(line);
    const help = h("p", { class: "soft small" }, t("edit_help"));
    row.querySelector(".said").replaceChildren(field, help);
    row.querySelector(".edit").hidden = true;
    const fit = () => {
      field.style.height = "auto";
      field.style.height = `${field.scrollHeight + 2}px`;
    };
    let open = true;
    /** @param {boolean} keepIt @param {boolean} refocus */
    const end = (keepIt, refocus) => {
      if (!open) return;
      open = false;
      const text = field.value.replace(/\s+/g, " ").trim();
      const now = this.lines[index]; // another object than before, if the result came meanwhile
      if (keepIt) now.edited = text === now.text ? null : text;
      if (this.stale) this.render();
      else row.replaceWith(this.#row(index));
      this.stale = false;
      this.#mark(this.current);
      if (refocus) this.list.children[index].querySelector(".edit").focus();
      if (!keepIt) return;
      this.#keepEdits();
      this.onEdit();
    };
    field.addEventListener("input", fit);
    field.addEventListener("blur", () => end(true, false));
    field.addEventListener("keydown", (event) => {
      if (event.isComposing) return; // Enter chooses a candidate of an input method
      if (event.key === "Escape") end(false, true);
      else if (event.key === "Enter") event.preventDefault(), end(true, true);
    });
    fit();
    field.focus();
  }

  /** Edits outlive a reload, not the tab. @returns {Record<string, string>} */
  #kept() {
    return kept(`edits.${this.id}`, {}, untilClosed);
  }

  #keepEdits() {
    const edits = this.lines.flatMap((line, index) => (line.edited === null ? [] : [[index, line.edited]]));
    keep(`edits.${this.id}`, edits.length ? Object.fromEntries(edits) : null, untilClosed);
  }
}

/** @param {Line} line */
function badges(line) {
  const named = (kind, value) => value && [value, known(`${kind}_${value}`) ? t(`${kind}_${value}`) : value, kind];
  const marks = [
    line.language && [line.language, languageName(line.language), "language"],
    named("emotion", line.emotion),
    named("event", line.event),
  ];
  return h(
    "p",
    { class: "badges small" },
    marks.map((mark) => mark && h("span", { class: `badge ${mark[2]} ${USUAL.has(mark[0]) ? "usual" : mark[0]}` }, mark[1])),
    line.edited !== null && h("span", { class: "badge edited" }, t("edited")),
  );
}
