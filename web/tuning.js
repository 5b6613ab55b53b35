// The settings of the playback buffer: the twin of voice/audio/tuning.py.

/** The settings of JitterSettings in jitter.py; `new JitterBuffer(rate, {mostWaitMs: 300})` changes some. */
export const SETTINGS = Object.freeze({
  quantilePercent: 75,
  decayPercent: 90,
  mostWaitMs: 500,
  slowSpeed: 1400,
  slowWaitMs: 80,
  aheadFactor: 2,
  resumeMs: 120,
  learnMs: 1000,
  fadeMs: 10,
  flushMs: 5,
});
