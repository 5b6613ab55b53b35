// @openai/agents (JavaScript) holds the four turns. It has a clock of its own for what was heard, and cuts by that.

import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from "@openai/agents/realtime";
import { Loudspeaker, Microphone, Queue, orders, sleep, versionOf } from "./mic.mjs";

const wanted = orders();
const errors = [];
const turns = {};

class Talk {
  speaker = new Loudspeaker();
  ended = new Queue();
  cut = new Queue();
  history = [];
  #item = 0;

  constructor(turnDetection) {
    const transport = new OpenAIRealtimeWebSocket({ url: wanted.url });
    const agent = new RealtimeAgent({ name: "voice", instructions: "Be brief." });
    const input = { transcription: { model: "whisper-1" }, turnDetection };
    this.session = new RealtimeSession(agent, { transport, model: "gpt-realtime", config: { outputModalities: ["audio"], audio: { input } } });
    this.session.on("audio", (event) => this.speaker.play(event.responseId, event.data.byteLength));
    this.session.on("audio_interrupted", () => this.cut.put(null));
    this.session.on("error", (event) => errors.push(JSON.stringify(event.error)));
    this.session.on("history_updated", (history) => (this.history = history));
    transport.on("turn_done", () => this.ended.put(null));
  }

  push = (chunk) => this.session.sendAudio(chunk.buffer.slice(chunk.byteOffset, chunk.byteOffset + chunk.byteLength));

  async answer() {
    await this.ended.take();
    // The history follows a moment behind.
    await sleep(200);
    const said = { user: "", assistant: "" };
    for (const item of this.history) {
      const words = (item.content ?? []).map((part) => part.transcript ?? part.text ?? "").join(" ");
      if (item.role in said && words) said[item.role] = words;
    }
    return { answer: said.assistant, heard: said.user, audio_ms: this.speaker.receivedMs };
  }
}

const one = new Talk({ type: "server_vad", interruptResponse: true });
await one.session.connect({ apiKey: "x" });
one.session.sendMessage(wanted.texts.text);
turns.text = await one.answer();
let microphone = new Microphone(one.push, wanted.chunk_ms);
microphone.say(wanted.wavs.voice);
turns.voice = await one.answer();
one.session.sendMessage(wanted.texts.long);
while (one.speaker.receivedMs === turns.voice.audio_ms) await sleep(10);
await one.speaker.heard(wanted.over_ms);
microphone.say(wanted.wavs.barge);
await one.cut.take();
await one.ended.take();
turns.barge = await one.answer();
microphone.stop();
one.session.close();

const other = new Talk(null);
await other.session.connect({ apiKey: "x" });
microphone = new Microphone(other.push, wanted.chunk_ms);
await microphone.say(wanted.wavs.manual);
microphone.stop();
other.session.sendAudio(new ArrayBuffer(4800), { commit: true });
other.session.transport.sendEvent({ type: "response.create" });
turns.manual = await other.answer();
other.session.close();
console.log(JSON.stringify({ client: "@openai/agents", version: versionOf("@openai/agents"), turns, errors }));
