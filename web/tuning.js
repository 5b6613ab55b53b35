// The settings of the playback buffer: the twin of voice/audio/tuning.py.

/** The settings of JitterSettings; `new JitterBuffer(rate, {mostWaitMs: 300})` changes some. */
export const SETTINGS = Object.freeze({
  lookMs: 10,
  pauseMs: 60,
  pauseBelowMs: 300,
  pauseBelowMostMs: 800,
  pauseMostMs: 300,
  stretchBelowMs: 120,
  stretchBelowMostMs: 600,
  quantilePercent: 85,
  decayPercent: 95,
  mostWaitMs: 500,
  slowSpeed: 1400,
  slowWaitMs: 100,
  aheadFactor: 1,
  resumeMs: 120,
  learnMs: 1000,
  fadeMs: 10,
  flushMs: 5,
});
