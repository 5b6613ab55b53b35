// What the page says is going on, in one word, from what its parts know. Pure; the words are in words.js.
//
//     failed        the conversation cannot go on by itself
//     reconnecting  the link broke; another try is being made
//     connecting    the first link is being made
//     speaking      a reply is being played
//     thinking      an answer was asked for and has not been heard yet
//     hearing       the microphone is on and somebody speaks
//     muted         the microphone is on and gives silence
//     listening     the microphone is on
//     ready         the microphone is off; typing works

export function stateOf({ link, replying, playing, speech, microphone, muted }) {
  if (link === "failed") return "failed";
  if (link === "reconnecting") return "reconnecting";
  if (link === "connecting") return "connecting";
  if (playing) return "speaking";
  if (speech && !muted) return "hearing";
  if (replying) return "thinking";
  if (microphone) return muted ? "muted" : "listening";
  return "ready";
}
