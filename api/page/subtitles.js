// @ts-check
/**
 * Files of an edited transcript. Cues of lines that nobody changed stay as the service made them, at the times of
 * words; an edited line is divided here, at even speed.
 */

/**
 * @typedef {{start_ms: number, end_ms: number, text: string}} Cue
 * @typedef {{start_ms: number, end_ms: number, text: string, edited: string | null}} Editable a line; `edited` is
 *   null where it is as the service recognised it
 */

/** As the service has them: columns of a line, where a character of Chinese, Japanese or Korean takes two. */
const COLUMNS = 42;
const WIDE_COLUMNS = 40;
const MAX_LINES = 2;
const MAX_MS = 7_000;

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
/** Scripts without spaces, and their marks. */
const UNSPACED = /[\u2e80-\ua4cf\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/u;
const SENTENCE_END = /[.?!…。．？！｡]["')\]}’”»）］｝」』】》〉]*\s*$/u;
/** Where a text may be divided: behind spaces, and between unspaced characters unless a mark follows. */
const PLACES = /(?<=\s)(?=\S)|(?<=[\u2e80-\ua4cf\uf900-\ufaff\uff00-\uff60])(?![\p{P}\s])/u;

/** What the lines say: edits included. @param {Editable} line */
export const textOf = (line) => line.edited ?? line.text;

/** @param {string} text */
const width = (text) => [...text].reduce((sum, character) => sum + (WIDE.test(character) ? 2 : 1), 0);

/** @param {string} text */
const columns = (text) => (WIDE.test(text) ? WIDE_COLUMNS : COLUMNS);

/** The cues of a SubRip file. @param {string} srt @returns {Cue[]} */
export function parseSrt(srt) {
  return srt
    .split(/\r?\n\r?\n/)
    .map((block) => block.trim().split(/\r?\n/))
    .filter((rows) => rows.length >= 2 && rows[1].includes("-->"))
    .map(([, times, ...text]) => {
      const [start_ms, end_ms] = times.split("-->").map(parseTime);
      return { start_ms, end_ms, text: text.join("\n") };
    });
}

/** @param {string} time 00:01:02,345 */
function parseTime(time) {
  const [hours, minutes, seconds, ms] = time.trim().split(/[:,.]/).map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}

/**
 * The cues of a transcript.
 * @param {Editable[]} lines in the order of their times
 * @param {Cue[]} served the service's own cues of it
 * @returns {Cue[]}
 */
export function cuesOf(lines, served) {
  const owners = served.map((cue) => ownerOf(cue, lines));
  return lines.flatMap((line) =>
    line.edited === null ? served.filter((_, place) => owners[place] === line) : divide(line, line.edited),
  );
}

/** The line that a cue is of: short cues reach a little beyond theirs. @param {Cue} cue @param {Editable[]} lines */
function ownerOf(cue, lines) {
  const shared = (line) => Math.min(cue.end_ms, line.end_ms) - Math.max(cue.start_ms, line.start_ms);
  return lines.reduce((best, line) => (shared(line) > shared(best) ? line : best), lines[0]);
}

/**
 * A text as cues within the time of its line: as few as lines and time allow, better ended with a sentence.
 * @param {Editable} line
 * @param {string} text
 * @returns {Cue[]}
 */
function divide(line, text) {
  const clean = text.replace(/\s+/g, " ").trim();
  if (!clean) return [];
  const duration_ms = line.end_ms - line.start_ms;
  const parts = clean.split(PLACES);
  const room = columns(clean) * MAX_LINES * 0.9; // rows do not fill up to the last column
  const count = Math.max(Math.ceil(width(clean) / room), Math.min(Math.ceil(duration_ms / MAX_MS), parts.length));
  const texts = fill(parts, width(clean) / count, room);
  const total = texts.reduce((sum, one) => sum + width(one), 0);
  let passed = 0;
  return texts.map((one) => {
    const start_ms = Math.round(line.start_ms + (duration_ms * passed) / total);
    passed += width(one);
    const end_ms = Math.round(line.start_ms + (duration_ms * passed) / total);
    return { start_ms, end_ms, text: wrap(one.trim()) };
  });
}

/** @param {string[]} parts @param {number} target @param {number} most columns @returns {string[]} */
function fill(parts, target, most) {
  const texts = [""];
  for (const part of parts) {
    const last = texts[texts.length - 1];
    const full = width(last) >= target || width(last + part.trimEnd()) > most;
    const sentence = SENTENCE_END.test(last) && width(last) > target * 0.6;
    if (last && (full || sentence)) texts.push(part);
    else texts[texts.length - 1] = last + part;
  }
  return texts;
}

/** A cue's text in one line, or in two of about the same width. @param {string} text */
function wrap(text) {
  if (width(text) <= columns(text)) return text;
  const parts = text.split(PLACES);
  let best = 1;
  const uneven = (cut) => Math.abs(width(parts.slice(0, cut).join("")) - width(parts.slice(cut).join("")));
  for (let cut = 1; cut < parts.length; cut++) if (uneven(cut) < uneven(best)) best = cut;
  return [parts.slice(0, best), parts.slice(best)].map((row) => row.join("").trim()).filter(Boolean).join("\n");
}

/** @param {Cue[]} cues */
export const srt = (cues) =>
  cues
    .map((cue, place) => `${place + 1}\n${time(cue.start_ms, ",")} --> ${time(cue.end_ms, ",")}\n${cue.text}\n`)
    .join("\n");

/** @param {Cue[]} cues */
export const vtt = (cues) =>
  ["WEBVTT\n", ...cues.map((cue) => `${time(cue.start_ms, ".")} --> ${time(cue.end_ms, ".")}\n${escape(cue.text)}\n`)].join(
    "\n",
  );

/** All that is said, with spaces except between unspaced characters. @param {Editable[]} lines */
export function plainText(lines) {
  return lines
    .map((line) => textOf(line).trim())
    .filter(Boolean)
    .reduce((joined, text) => {
      const close = !joined || (UNSPACED.test([...joined].at(-1) ?? "") && UNSPACED.test([...text][0]));
      return joined + (close ? "" : " ") + text;
    }, "");
}

/** @param {string} text */
const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** @param {number} ms @param {string} mark between seconds and milliseconds */
function time(ms, mark) {
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const whole = `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}`;
  return `${whole}${mark}${String(ms % 1000).padStart(3, "0")}`;
}
