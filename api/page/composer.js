// @ts-check
/** The form in which a recording is handed in. */

import { byId, h, icon, say } from "./dom.js";
import { clock, size } from "./format.js";
import { languageName, onLanguage, t } from "./i18n.js";
import { keep, kept } from "./memory.js";
import { canRecord, record } from "./recorder.js";

const LANGUAGES = ["auto", "zh", "en", "ja", "ko", "yue"];
const SWITCHES = ["itn", "punctuation", "vad"];

/** @typedef {{languages: string[], itn: boolean, model: string}} Model what the running model can do */

/** @type {Model | null} */
let model = null;
/** @type {File | null} */
let file = null;
/** @type {(() => Promise<File>) | null} */
let stopRecording = null;

/** @param {(file: File, fields: Record<string, string>) => void} onSubmit */
export function prepareComposer(onSubmit) {
  byId("file").addEventListener("change", () => {
    // Opening the chooser again and choosing nothing keeps what was chosen.
    if (byId("file").files.length) choose(byId("file").files[0]);
  });
  byId("remove-file").addEventListener("click", () => {
    choose(null);
    byId("file").focus();
  });
  byId("record").addEventListener("click", toggleRecording);
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    if (file) return onSubmit(file, fields());
    say(byId("file-note"), t("choose_first"));
    byId("file").focus();
  });
  for (const name of ["lang", "replace", ...SWITCHES]) byId(name).addEventListener("change", keepFields);
  acceptDrops();
  render();
  restoreFields();
  onLanguage(render);
}

/** What the model lacks cannot be chosen. @param {Model | null} able */
export function setModel(able) {
  if (JSON.stringify(able) === JSON.stringify(model)) return;
  model = able;
  render();
}

/** Forget the recording, for the next one. */
export const clearComposer = () => choose(null);

/** A file dropped anywhere on the page is taken: a near miss must not make the browser leave the page. */
function acceptDrops() {
  const over = (is) => () => {
    byId("drop").classList.toggle("over", is);
    render();
  };
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    if (!byId("drop").classList.contains("over")) over(true)();
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && over(false)());
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(false)();
    const files = event.dataTransfer?.files ?? [];
    if (!files.length || byId("transcribe").hidden) return;
    if (byId("composer").hidden) location.hash = "#/";
    choose(files[0]);
    if (files.length > 1) say(byId("file-note"), t("one_file", { name: files[0].name }));
  });
}

/** @param {File | null} chosen */
function choose(chosen) {
  file = chosen;
  if (!chosen) byId("file").value = "";
  say(byId("file-note"), "");
  render();
}

async function toggleRecording() {
  if (stopRecording) {
    const stop = stopRecording;
    stopRecording = null;
    choose(await stop());
    byId("start").focus();
    return;
  }
  if (!canRecord()) return say(byId("file-note"), t("record_insecure"));
  try {
    stopRecording = await record((level, elapsedMs) => {
      byId("record-level").value = level;
      say(byId("record-time"), clock(elapsedMs));
    });
    choose(null);
  } catch {
    say(byId("file-note"), t("record_refused"));
  }
}

/** The fields of the form as the service wants them. @returns {Record<string, string>} */
function fields() {
  return {
    lang: byId("lang").value,
    ...Object.fromEntries(SWITCHES.map((name) => [name, String(byId(name).checked)])),
    replace: byId("replace").value.trim(),
  };
}

const keepFields = () => keep("fields", fields());

function restoreFields() {
  const old = kept("fields", /** @type {Record<string, string>} */ ({}));
  if (LANGUAGES.includes(old.lang)) byId("lang").value = old.lang;
  for (const name of SWITCHES) byId(name).checked = old[name] !== "false";
  byId("replace").value = old.replace ?? "";
  byId("composer").querySelector("details").open = Boolean(old.replace);
  render();
}

function render() {
  const over = byId("drop").classList.contains("over");
  byId("drop").classList.toggle("chosen", Boolean(file));
  byId("drop-label").querySelector("svg").replaceWith(large(file ? "file" : "upload"));
  say(byId("drop-title"), over ? t("drop_now") : file ? file.name : t("drop_title"));
  say(byId("drop-hint"), file ? size(file.size) : t("drop_or"));
  byId("remove-file").hidden = !file;
  renderRecorder();
  renderFields();
}

function large(name) {
  const drawn = icon(name);
  drawn.classList.add("large");
  return drawn;
}

function renderRecorder() {
  const on = stopRecording !== null;
  byId("record").classList.toggle("recording", on);
  byId("record").querySelector("svg").replaceWith(icon(on ? "stop" : "mic"));
  say(byId("record-text"), t(on ? "record_stop" : "record"));
  byId("record-level").hidden = !on;
  byId("record-time").hidden = !on;
  byId("start").disabled = on;
}

function renderFields() {
  const lang = byId("lang");
  const chosen = lang.value || "auto";
  const able = (code) => !model || model.languages.includes(code);
  lang.replaceChildren(
    ...LANGUAGES.map((code) => {
      const name = languageName(code);
      return h(
        "option",
        { value: code, disabled: !able(code) },
        able(code) ? name : t("not_known", { language: name }),
      );
    }),
  );
  lang.value = able(chosen) ? chosen : "auto";
  const itn = byId("itn");
  itn.disabled = model !== null && !model.itn;
  if (itn.disabled) itn.checked = true;
  itn.parentElement.title = itn.disabled ? t("itn_missing") : "";
  byId("vad-label").title = t("vad_help");
}
