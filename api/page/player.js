// @ts-check
/** Plays the local file; nothing is fetched from the service. */

import { byId, h } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

/** Beyond the end of any recording, in seconds. */
const FAR_S = 1e9;

export class Player {
  /** @param {(ms: number | null) => void} onTime where it plays; null when it stands at the beginning */
  constructor(onTime) {
    this.onTime = onTime;
    /** @type {HTMLMediaElement | null} */
    this.media = null;
    byId("listen-file").addEventListener("change", () => this.load(byId("listen-file").files[0] ?? null));
    onLanguage(() => this.media?.setAttribute("aria-label", t("player")));
  }

  /** Take a recording, or with null none. @param {File | null} file */
  load(file) {
    this.#drop();
    byId("listen").hidden = Boolean(file);
    byId("player-place").replaceChildren();
    byId("listen-file").value = "";
    if (!file) return;
    const kind = file.type.startsWith("video/") ? "video" : "audio";
    const media = h(kind, { controls: true, playsinline: true, preload: "metadata", "aria-label": t("player") });
    media.src = URL.createObjectURL(file);
    media.addEventListener("loadedmetadata", () => knowDuration(media), { once: true });
    media.addEventListener("error", () => {
      byId("player-place").replaceChildren(h("p", { class: "soft small" }, t("cannot_play")));
      this.#drop();
    });
    for (const moved of ["timeupdate", "seeked", "play"]) {
      media.addEventListener(moved, () => {
        if (media === this.media && media.currentTime < FAR_S) this.onTime(media.currentTime * 1000);
      });
    }
    byId("player-place").replaceChildren(media);
    this.media = media;
  }

  /** Play from there; false where there is nothing to play. @param {number} ms */
  playFrom(ms) {
    if (!this.media) return false;
    this.media.currentTime = ms / 1000;
    this.media.play().catch(() => {}); // refused without a click, or interrupted by the next one
    return true;
  }

  /** Be silent. */
  pause() {
    this.media?.pause();
  }

  #drop() {
    if (!this.media) return;
    this.media.pause();
    URL.revokeObjectURL(this.media.src);
    this.media.remove();
    this.media = null;
    this.onTime(null);
  }
}

/** What MediaRecorder writes has no length, and cannot be sought in, until the end was looked for. */
function knowDuration(media) {
  if (Number.isFinite(media.duration)) return;
  media.addEventListener("durationchange", () => (media.currentTime = 0), { once: true });
  media.currentTime = FAR_S;
}
