// @ts-check
/** One job, from the upload of its recording to its files. */

import { announce } from "./announce.js";
import { ApiError, getJson, idempotencyKey, request, upload } from "./api.js";
import { byId, say } from "./dom.js";
import { hideDownloads, showDownloads } from "./downloads.js";
import { clock, short, span, when } from "./format.js";
import { onLanguage, t } from "./i18n.js";
import { nameOf, remember } from "./names.js";
import { Player } from "./player.js";
import { facts, showProblem } from "./problem.js";
import { hideProgress, showBroken, showJob, showUpload } from "./progress.js";
import { follow } from "./sse.js";
import { Transcript } from "./transcript.js";

const ASK_EVERY_MS = 1000;

const ENDED = new Set(["done", "failed", "cancelled"]);

export class JobPanel {
  /** @param {{onMade: (id: string) => void, onChange: () => void}} on a job was made; one was made or has ended */
  constructor({ onMade, onChange }) {
    this.onMade = onMade;
    this.onChange = onChange;
    /** Whether a recording is on its way. */
    this.uploading = false;
    /** @type {string | null} */
    this.id = null;
    /** @type {any} */
    this.job = null;
    this.name = "";
    this.working = new AbortController();
    this.player = new Player((ms) => this.transcript.highlight(ms, byId("along").checked));
    this.transcript = new Transcript({ onPlay: (ms) => this.#play(ms), onEdit: () => this.#showEnd() });
    byId("cancel").addEventListener("click", () => this.#cancel());
    onLanguage(() => this.#render());
  }

  /** Hand in a recording, and follow it. @param {File} file @param {Record<string, string>} fields */
  submit(file, fields) {
    this.#begin(null, file.name);
    this.player.load(file);
    this.#upload(file, fields, idempotencyKey());
  }

  /** Show a job. @param {string} id */
  open(id) {
    if (this.id === id) return;
    this.#begin(id, nameOf(id));
    this.#load();
  }

  /** Show none: an upload ends, what runs at the service goes on. */
  close() {
    this.working.abort();
    this.uploading = false;
    this.id = null;
    this.job = null;
    this.player.load(null);
  }

  /** @param {string | null} id @param {string} name */
  #begin(id, name) {
    this.close();
    this.working = new AbortController();
    this.id = id;
    this.name = name;
    showProblem(byId("problem"), null);
    hideDownloads();
    hideProgress();
    this.transcript.reset(id ?? "");
    this.#render();
    byId("job-name").focus({ preventScroll: true });
  }

  async #upload(file, fields, key) {
    const { signal } = this.working;
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file);
    showProblem(byId("problem"), null);
    showUpload(0, file.size);
    this.uploading = true;
    this.#render();
    try {
      const job = await upload(form, { idempotencyKey: key, onProgress: (share) => showUpload(share, file.size), signal });
      this.id = job.id;
      remember(job.id, file.name);
      this.transcript.reset(job.id);
      this.uploading = false;
      this.onMade(job.id);
      this.#heard(job);
      this.onChange();
      await this.#follow();
    } catch (error) {
      if (signal.aborted) return;
      this.uploading = false;
      hideProgress();
      const passing = error instanceof ApiError && [0, 401, 429, 503].includes(error.status);
      showProblem(byId("problem"), facts(error), passing ? () => this.#upload(file, fields, key) : null);
      this.#render();
    }
  }

  async #load() {
    const { signal } = this.working;
    showProblem(byId("problem"), null);
    try {
      this.#heard(await getJson(`jobs/${this.id}`, { signal }));
      if (this.job.state === "done") await this.#result();
      else if (!ENDED.has(this.job.state)) await this.#follow();
    } catch (error) {
      if (!signal.aborted) showProblem(byId("problem"), facts(error), () => this.#load());
    }
  }

  /** Hear what happens to the job until it has ended. */
  async #follow() {
    const panel = this.working;
    const ended = new AbortController();
    const signal = AbortSignal.any([panel.signal, ended.signal]);
    const timer = setInterval(() => !document.hidden && this.#ask(signal), ASK_EVERY_MS);
    try {
      await follow(`jobs/${this.id}/events`, {
        signal,
        onBroken: (broken) => broken && showBroken(),
        onEvent: ({ event, data }) => {
          const body = JSON.parse(data);
          if (event === "segment") this.#segment(body);
          else this.#heard(body);
          if (event === "done") ended.abort();
        },
      });
    } finally {
      clearInterval(timer);
    }
    if (panel.signal.aborted) return;
    this.onChange();
    if (this.job.state === "done") await this.#result();
  }

  /** The events tell texts and changes of state; numbers between these are asked for. @param {AbortSignal} signal */
  async #ask(signal) {
    try {
      const job = await getJson(`jobs/${this.id}`, { signal, quiet: true });
      if (!signal.aborted && !ENDED.has(job.state)) this.#heard(job);
    } catch {
      // the stream of events says what there is to say
    }
  }

  async #result() {
    const { signal } = this.working;
    try {
      const result = await getJson(`jobs/${this.id}/result?format=json`, { signal });
      this.transcript.setAll(result.segments);
      this.#render();
      announce(t("all_done", { n: result.segments.length }));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status === 404) return say(byId("transcript-empty"), t("result_gone"));
      showProblem(byId("problem"), facts(error), () => this.#result());
    }
  }

  #heard(job) {
    this.job = job;
    this.#render();
  }

  #segment({ index, ...segment }) {
    this.transcript.add(index, segment);
    say(byId("transcript-empty"), "");
  }

  async #cancel() {
    const { id } = this;
    this.working.abort();
    this.working = new AbortController();
    if (!id) {
      location.hash = "#/";
      return;
    }
    try {
      await request(`jobs/${id}`, { method: "DELETE" });
    } catch (error) {
      showProblem(byId("problem"), facts(error));
    }
    await this.#load();
    this.onChange();
  }

  #play(ms) {
    if (!this.player.playFrom(ms)) byId("listen-file").focus();
  }

  #render() {
    const { job } = this;
    const state = job?.state ?? (this.uploading ? "uploading" : null);
    byId("job-new").hidden = this.uploading;
    const refused = !this.id && !this.uploading;
    byId("player").hidden = refused;
    byId("transcript").hidden = refused;
    say(byId("job-name"), this.name);
    byId("job-state").hidden = state === null;
    byId("job-state").className = `chip ${state}`;
    say(byId("job-state"), state ? t(`state_${state}`) : "");
    say(byId("job-note"), job ? noteOf(job) : "");
    const active = job && !ENDED.has(job.state);
    if (active) showJob(job);
    else if (job) hideProgress();
    if (job?.error) showProblem(byId("problem"), { status: job.error.status, detail: job.error.message });
    this.#showEnd();
    say(byId("transcript-empty"), this.#emptiness(active));
  }

  #showEnd() {
    if (this.job?.state !== "done" || !this.transcript.lines.length) return hideDownloads();
    showDownloads({
      id: this.job.id,
      name: this.name,
      lines: () => this.transcript.lines,
      onUndo: () => {
        this.transcript.undoEdits();
        this.#showEnd();
        byId("get-srt").focus();
      },
      onError: (error) => showProblem(byId("problem"), facts(error)),
    });
  }

  /** What stands in place of lines. */
  #emptiness(active) {
    if (this.transcript.lines.length) return "";
    if (active || this.uploading) return t("waiting_lines");
    if (!this.job) return "";
    if (this.job.state === "cancelled") return t("cancelled");
    return this.job.state === "done" && !this.job.segments.total ? t("nothing_said") : "";
  }
}

/** Length, time and speed of a job. */
function noteOf(job) {
  if (job.state !== "done" || job.audio.total_s === null || job.started_ms === null) return when(job.created_ms);
  const took_ms = Math.max(1, job.ended_ms - job.started_ms);
  const speed = short((job.audio.total_s * 1000) / took_ms);
  return t("speed_note", { duration: clock(job.audio.total_s * 1000), took: span(took_ms), speed });
}
