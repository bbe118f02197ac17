// @ts-check
/** Files of the result: the service's own, or made here once a line was edited. */

import { request } from "./api.js";
import { byId, h, icon, say } from "./dom.js";
import { t } from "./i18n.js";
import { cuesOf, parseSrt, plainText, srt, textOf, vtt } from "./subtitles.js";

/** @typedef {import("./transcript.js").Line} Line */

const FORMATS = ["srt", "vtt", "txt", "json"];

const TYPES = { srt: "application/x-subrip", vtt: "text/vtt", txt: "text/plain", json: "application/json" };

/**
 * Show the buttons.
 * @param {{id: string, name: string, lines: () => Line[], onUndo: () => void, onError: (error: unknown) => void}} of
 */
export function showDownloads({ id, name, lines, onUndo, onError }) {
  const save = async (format) => {
    try {
      saveAs(await fileOf(id, format, lines()), `${name.replace(/\.[^.]{1,5}$/, "")}.${format}`);
    } catch (error) {
      onError(error);
    }
  };
  const edits = lines().filter((line) => line.edited !== null).length;
  const copy = h("button", { type: "button", onclick: () => copyText(copy, lines()) }, icon("copy"), t("copy"));
  byId("downloads").hidden = false;
  byId("downloads").replaceChildren(
    ...(edits ? [h("button", { type: "button", id: "undo", onclick: onUndo }, icon("undo"), t("undo_edits"))] : []),
    copy,
    h(
      "span",
      { class: "group", role: "group", "aria-label": t("download") },
      FORMATS.map((format) =>
        h(
          "button",
          { type: "button", id: `get-${format}`, "aria-label": `${t("download")} ${format.toUpperCase()}`, onclick: () => save(format) },
          format === "srt" && icon("download"),
          format.toUpperCase(),
        ),
      ),
    ),
  );
  byId("downloads-note").hidden = false;
  byId("downloads-note").classList.toggle("edits", edits > 0);
  say(byId("downloads-note"), edits ? t("from_page", { n: edits }) : t("from_server"));
}

export function hideDownloads() {
  byId("downloads").hidden = true;
  byId("downloads-note").hidden = true;
}

/** @param {string} id @param {string} format @param {Line[]} lines @returns {Promise<Blob>} */
async function fileOf(id, format, lines) {
  const served = async (as) => request(`jobs/${id}/result?format=${as}`);
  if (lines.every((line) => line.edited === null)) return (await served(format)).blob();
  const made = (text) => new Blob([text], { type: `${TYPES[format]};charset=utf-8` });
  if (format === "txt") return made(`${plainText(lines)}\n`);
  if (format === "json") return made(withEdits(await (await served("json")).json(), lines));
  const cues = cuesOf(lines, parseSrt(await (await served("srt")).text()));
  return made(format === "srt" ? srt(cues) : vtt(cues));
}

/** The service's JSON with the edited texts; their words are not known any more. */
function withEdits(result, lines) {
  const segments = result.segments.map((segment, index) =>
    lines[index].edited === null ? segment : { ...segment, text: textOf(lines[index]), words: null, edited: true },
  );
  return JSON.stringify({ ...result, text: plainText(lines), segments }, null, 1);
}

/** @param {any} button @param {Line[]} lines */
async function copyText(button, lines) {
  const text = lines.map(textOf).filter(Boolean).join("\n");
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https there is no clipboard but this one.
    const area = h("textarea", { class: "visually-hidden" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.lastChild.textContent = t("copied");
  setTimeout(() => (button.lastChild.textContent = t("copy")), 2000);
}

/** @param {Blob} blob @param {string} name */
function saveAs(blob, name) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
