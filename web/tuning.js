// The settings of the playback buffer: the twin of voice/audio/tuning.py.

/** Those of LeadSettings and JitterSettings; `new JitterBuffer(rate, {mostWaitMs: 300})` changes some. */
export const SETTINGS = Object.freeze({
  lookMs: 10,
  neededPercent: 200,
  pauseMs: 120,
  pauseBelowMs: 300,
  pauseBelowMostMs: 800,
  pauseMostMs: 300,
  stretchBelowMs: 200,
  stretchBelowMostMs: 800,
  calmBelowMs: 40,
  concealMs: 40,
  quantilePercent: 95,
  decayPercent: 95,
  mostWaitMs: 500,
  slowWaitMs: 100,
  slowWaitPercent: 50,
  aheadPercent: 120,
  resumeMs: 120,
  learnMs: 1000,
  fadeMs: 10,
  flushMs: 5,
});
