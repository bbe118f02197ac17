// @ts-check
/** The list of recent jobs. */

import { getJson, request } from "./api.js";
import { byId, h, icon, keyed, say } from "./dom.js";
import { clock, when } from "./format.js";
import { onLanguage, t } from "./i18n.js";
import { keep, kept } from "./memory.js";
import { hidden, hide, isMine, nameOf } from "./names.js";
import { facts, meaning } from "./problem.js";

const PAGE = 12;
const SURE_MS = 4000;

export class RecentJobs {
  constructor() {
    /** @type {any[]} */
    this.jobs = [];
    /** @type {string | null} */
    this.next = null;
    this.shown = PAGE;
    this.open = "";
    byId("mine").checked = kept("mine", false);
    byId("mine").addEventListener("change", () => {
      keep("mine", byId("mine").checked);
      this.render();
    });
    byId("recent-more").addEventListener("click", () => {
      this.shown = Math.min(100, this.shown + PAGE);
      this.refresh();
    });
    onLanguage(() => this.render());
  }

  /** Ask for the list; `quiet` where nobody clicked. */
  async refresh(quiet = true) {
    try {
      const page = await getJson(`jobs?limit=${this.shown}`, { quiet });
      this.jobs = page.jobs;
      this.next = page.next;
      this.render();
    } catch (error) {
      say(byId("recent-note"), meaning(facts(error).status ?? -1));
    }
  }

  /** Whether any job has not ended. */
  get active() {
    return this.jobs.some((job) => job.state === "queued" || job.state === "running");
  }

  /** Mark the job that is open. @param {string} id */
  mark(id) {
    this.open = id;
    this.render();
  }

  render() {
    const gone = hidden();
    const mine = byId("mine").checked;
    const jobs = this.jobs.filter((job) => !gone.has(job.id) && (!mine || isMine(job.id)));
    say(byId("recent-note"), jobs.length ? "" : t("recent_none"));
    byId("recent-more").hidden = this.next === null || this.shown >= 100;
    keyed(byId("recent-list"), jobs, (job) => job.id, (job) => this.#create(job), (node, job) => this.#update(node, job));
  }

  #create(job) {
    const remove = h("button", { type: "button", class: "quiet square delete" }, icon("trash"));
    remove.addEventListener("click", () => this.#delete(job.id, remove));
    return h(
      "li",
      {},
      h("a", { href: `#/jobs/${job.id}` }, h("span", { class: "name" }), h("span", { class: "soft small numbers" })),
      h("span", { class: "chip" }),
      remove,
    );
  }

  #update(node, job) {
    const [link, chip, remove] = node.children;
    const name = nameOf(job.id);
    link.toggleAttribute("aria-current", job.id === this.open);
    say(link.firstChild, name);
    const length = job.audio.total_s === null ? "" : ` · ${clock(job.audio.total_s * 1000)}`;
    say(link.lastChild, when(job.created_ms) + length);
    chip.className = `chip ${job.state}`;
    say(chip, t(`state_${job.state}`));
    if (!remove.classList.contains("sure")) {
      remove.setAttribute("aria-label", t("delete_job", { name }));
      remove.title = t("delete_job", { name });
    }
  }

  /** The first click asks, the second deletes. */
  async #delete(id, button) {
    const calm = () => {
      button.classList.remove("sure");
      button.classList.add("square");
      button.replaceChildren(icon("trash"));
      this.render();
    };
    if (!button.classList.contains("sure")) {
      button.classList.add("sure");
      button.classList.remove("square");
      button.removeAttribute("aria-label");
      button.replaceChildren(t("delete_sure"));
      setTimeout(calm, SURE_MS);
      return;
    }
    try {
      await request(`jobs/${id}`, { method: "DELETE" });
      hide(id);
      if (id === this.open) location.hash = "#/";
      byId("recent-title").focus?.();
      this.render();
    } catch (error) {
      calm();
      say(byId("recent-note"), meaning(facts(error).status ?? -1));
    }
  }
}
