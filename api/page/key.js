// @ts-check
/** The API key: asked for when the service answers 401, kept until the tab is closed. */

import { byId, say } from "./dom.js";
import { t } from "./i18n.js";
import { keep, kept, untilClosed } from "./memory.js";

/** @type {string | null} */
let key = kept("key", null, untilClosed);

/** @type {Promise<boolean> | null} */
let asking = null;

/** Whether the user was asked and gave none: polling must not ask over and over. */
let declined = false;

/** The key to send, if there is one. */
export const currentKey = () => key;

/**
 * Ask for a key, once for all requests that wait for one.
 * @param {{refused: string | null, quiet: boolean}} why the key that was not accepted, null where none was sent
 * @returns {Promise<boolean>} whether there is another key to try
 */
export async function askForKey({ refused, quiet }) {
  if (refused !== key && key !== null) return true;
  if (quiet && declined) return false;
  asking ??= ask(refused !== null).finally(() => (asking = null));
  return asking;
}

/** @param {boolean} wrong @returns {Promise<boolean>} */
function ask(wrong) {
  const dialog = byId("key-dialog");
  const field = byId("key");
  say(byId("key-wrong"), wrong ? t("key_wrong") : "");
  field.value = "";
  byId("key-needed").hidden = true;
  dialog.showModal();
  return new Promise((resolve) => {
    const form = dialog.querySelector("form");
    const given = (event) => {
      event.preventDefault();
      key = field.value.trim();
      keep("key", key, untilClosed);
      dialog.close();
    };
    form.addEventListener("submit", given);
    dialog.addEventListener(
      "close",
      () => {
        form.removeEventListener("submit", given);
        declined = !field.value.trim();
        byId("key-needed").hidden = !declined;
        field.value = "";
        resolve(!declined);
      },
      { once: true },
    );
  });
}

/**
 * The dialog's own buttons.
 * @param {() => void} whenGiven a key was given after all: what was refused may be asked again
 */
export function prepareKeyDialog(whenGiven) {
  byId("key-close").addEventListener("click", () => {
    byId("key").value = "";
    byId("key-dialog").close();
  });
  byId("key-dialog").addEventListener("cancel", () => (byId("key").value = ""));
  byId("key-enter").addEventListener("click", async () => {
    if (await askForKey({ refused: key, quiet: false })) whenGiven();
  });
}
