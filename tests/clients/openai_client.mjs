// openai (npm) holds the four turns, over `ws` or over the runtime's own WebSocket (orders.transport: "ws" | "websocket"), in the protocol of today or
// in its beta (orders.protocol: "beta").

import OpenAI from "openai";
import { Loudspeaker, Microphone, Queue, orders, versionOf } from "./mic.mjs";

const PCM = { type: "audio/pcm", rate: 24000 };
const wanted = orders();
const client = new OpenAI({ apiKey: "x", baseURL: wanted.url.replace(/\/realtime$/, "").replace(/^ws/, "http") });
const beta = wanted.protocol === "beta";
const maker = await import(`openai/${beta ? "beta/" : ""}realtime/${wanted.transport}`);
const connection =
  wanted.transport === "ws"
    ? new maker.OpenAIRealtimeWS({ model: "gpt-realtime" }, client)
    : new maker.OpenAIRealtimeWebSocket({ model: "gpt-realtime", dangerouslyAllowBrowser: true }, client);
const DELTA = beta ? "response.audio.delta" : "response.output_audio.delta";
const speaker = new Loudspeaker();
const events = new Queue();
const errors = [];
let heard = [];
// It is told to speak TLS, behind which nobody else sees what passes.
const passed = [];
connection.on("event", (event) => {
  passed.push(["down", event]);
  events.put(event);
});
connection.on("error", (error) => errors.push(error.message));

function tell(event) {
  passed.push(["up", event]);
  connection.send(event);
}

async function until(type) {
  for (;;) {
    const event = await events.take();
    if (event.type === DELTA) speaker.play(event.item_id, Buffer.from(event.delta, "base64").length);
    if (event.type === "conversation.item.input_audio_transcription.completed") heard.push(event.transcript);
    if (event.type === type) return event;
  }
}

function settings(detection) {
  const instructions = "Be brief.";
  const transcription = { model: "whisper-1" };
  const formats = { input_audio_format: "pcm16", output_audio_format: "pcm16" };
  if (beta) return { instructions, modalities: ["text", "audio"], ...formats, input_audio_transcription: transcription, turn_detection: detection };
  const input = { format: PCM, transcription, turn_detection: detection };
  return { type: "realtime", instructions, audio: { input, output: { format: PCM } } };
}

async function listen(detection) {
  tell({ type: "session.update", session: settings(detection) });
  await until("session.updated");
}

function type(text) {
  tell({ type: "conversation.item.create", item: { type: "message", role: "user", content: [{ type: "input_text", text }] } });
  tell({ type: "response.create" });
}

async function answer() {
  heard = [];
  const { response } = await until("response.done");
  await until("rate_limits.updated");
  const words = response.output.flatMap((item) => item.content.map((part) => part.transcript));
  return { answer: words.join(" "), heard: heard.join(" "), audio_ms: speaker.receivedMs };
}

const send = (chunk) => connection.send({ type: "input_audio_buffer.append", audio: chunk.toString("base64") });
const turns = {};
await until("session.created");
await listen({ type: "server_vad" });
type(wanted.texts.text);
turns.text = await answer();
let microphone = new Microphone(send, wanted.chunk_ms);
microphone.say(wanted.wavs.voice);
turns.voice = await answer();
type(wanted.texts.long);
await until(DELTA);
speaker.heard(wanted.over_ms).then(() => microphone.say(wanted.wavs.barge));
await until("input_audio_buffer.speech_started");
tell({ type: "conversation.item.truncate", item_id: speaker.itemId, content_index: 0, audio_end_ms: speaker.heardMs });
await answer();
turns.barge = await answer();
microphone.stop();
await listen(null);
tell({ type: "input_audio_buffer.clear" });
await until("input_audio_buffer.cleared");
microphone = new Microphone(send, wanted.chunk_ms);
await microphone.say(wanted.wavs.manual);
microphone.stop();
tell({ type: "input_audio_buffer.commit" });
tell({ type: "response.create" });
turns.manual = await answer();
connection.close();
console.log(JSON.stringify({ client: "openai (npm)", version: versionOf("openai"), turns, errors, events: passed }));
