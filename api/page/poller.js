// @ts-check
/** Asks the service again and again while somebody looks at the answers. */

import { ApiError } from "./api.js";

export class Poller {
  /**
   * @param {() => Promise<any>} ask
   * @param {number} everyMs
   * @param {(answer: any) => void} onAnswer null where the service has no such thing, and is not asked again
   * @param {() => void} [onSilence] it could not be asked this time
   */
  constructor(ask, everyMs, onAnswer, onSilence = () => {}) {
    this.ask = ask;
    this.everyMs = everyMs;
    this.onAnswer = onAnswer;
    this.onSilence = onSilence;
    this.timer = 0;
    this.asking = false;
  }

  /** @param {boolean} on */
  turn(on) {
    clearInterval(this.timer);
    if (!on) return;
    this.timer = setInterval(() => this.#ask(), this.everyMs);
    this.#ask();
  }

  async #ask() {
    if (this.asking) return;
    this.asking = true;
    const answer = await this.ask().catch((error) => this.#refused(error));
    this.asking = false;
    answer === undefined ? this.onSilence() : this.onAnswer(answer);
  }

  /** @param {unknown} error @returns {null | undefined} undefined: the next time, perhaps */
  #refused(error) {
    if (!(error instanceof ApiError) || error.status !== 404) return undefined;
    clearInterval(this.timer);
    return null;
  }
}
