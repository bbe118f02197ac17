// @ts-check
/** Records from the microphone. */

import { timeOfDay } from "./format.js";
import { t } from "./i18n.js";

/** What browsers record, the best first. */
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4", ""];

const EXTENSIONS = { "audio/webm": "webm", "audio/ogg": "ogg", "audio/mp4": "m4a" };

/** Whether the browser lets this page use a microphone at all. */
export const canRecord = () => Boolean(navigator.mediaDevices?.getUserMedia) && typeof MediaRecorder === "function";

/**
 * Begin to record.
 * @param {(level: number, elapsedMs: number) => void} onLevel several times a second, level between 0 and 1
 * @returns {Promise<() => Promise<File>>} what ends it and gives the recording
 */
export async function record(onLevel) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const type = TYPES.find((one) => !one || MediaRecorder.isTypeSupported(one));
  const recorder = new MediaRecorder(stream, type ? { mimeType: type } : {});
  /** @type {Blob[]} */
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  recorder.start(1000);
  const stopMeter = meter(stream, onLevel);
  return () =>
    new Promise((resolve) => {
      recorder.onstop = () => {
        stopMeter();
        for (const track of stream.getTracks()) track.stop();
        const bare = recorder.mimeType.split(";")[0];
        const name = t("record_name", { time: timeOfDay(Date.now()).replaceAll(":", "-") });
        resolve(new File(pieces, `${name}.${EXTENSIONS[bare] ?? "webm"}`, { type: bare }));
      };
      recorder.stop();
    });
}

/** @param {MediaStream} stream @param {(level: number, elapsedMs: number) => void} onLevel @returns {() => void} */
function meter(stream, onLevel) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const beganMs = performance.now();
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const loudness = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
    onLevel(Math.min(1, loudness * 4), performance.now() - beganMs);
  }, 100);
  return () => {
    clearInterval(timer);
    context.close();
  };
}
