"""One session of the twin, seen from the wire: words, sound, calls, transcripts and endings as its script has them."""

import base64
import json
from typing import Any

import pytest

from tests.support.fakes import FakeSynthesizer
from tests.support.signals import padded, speech_like
from tests.support.wire import Wire, talking, transcript
from voice.audio.pcm import silence, to_bytes
from voice.engines.base import Synthesizer
from voice.engines.script import read_script
from voice.engines.twin import TwinEngine, TwinOptions

DONE, HEARD = "response.done", "conversation.item.input_audio_transcription.completed"


def twin(text: str, voice: Synthesizer | None = None, hurry: bool = True, life_s: float = 60.0) -> TwinEngine:
    return TwinEngine(read_script(f'voice = "tones"\n{text}', "s.toml"), voice, TwinOptions(hurry=hurry, life_s=life_s))


async def typed(wire: Wire, text: str) -> dict[str, Any]:
    await wire.type(text)
    return (await wire.until(DONE))["response"]  # type: ignore[no-any-return]


async def test_replies_come_in_order_spoken_or_written() -> None:
    async with talking(twin('[[reply]]\nsay = "You said {heard}."\n[[reply]]\nsay = "Two words."')) as wire:
        first = await typed(wire, "hello")
        assert first["output"][0]["content"][0]["transcript"] == "You said hello." and wire.sound_ms == 600
        await wire.send("session.update", session={"type": "realtime", "output_modalities": ["text"]})
        second = await typed(wire, "x")
        assert second["output"][0]["content"][0] == {"type": "output_text", "text": "Two words."} and wire.sound_ms == 600
        assert [event["delta"] for event in wire.of("response.output_text.delta")] == ["Two", " words."]


async def test_what_a_client_dictates_is_said_and_takes_no_reply() -> None:
    engine = twin('[[reply]]\nsay = "First."\n[[reply]]\nsay = "Second."')
    async with talking(engine) as wire:
        await wire.send("response.create", response={"instructions": 'Say exactly this, and nothing else: "One {heard} moment."'})
        assert transcript(await wire.until(DONE)) == "One {heard} moment." and wire.sound_ms > 0 and not engine.taken
        for instructions, words in (("Be brief.", "First."), ("Greet the user.", "Second.")):
            await wire.send("response.create", response={"instructions": instructions})
            assert transcript(await wire.until(DONE)) == words
        # Those of the session are for every answer, and say how to give it.
        await wire.send("session.update", session={"type": "realtime", "instructions": 'Say exactly this: "Hm."'})
        assert transcript({"response": await typed(wire, "x")}) == "First."


async def test_the_reply_to_a_turn_waits_behind_what_is_dictated() -> None:
    async with talking(twin('[[reply]]\nheard = "one"\nsay = "First."\n[[reply]]\nsay = "Second."')) as wire:
        await wire.settle(turn_detection=None)
        await wire.push(speech_like(500))
        await wire.send("input_audio_buffer.commit")
        await wire.send("response.create", response={"instructions": 'Say exactly: "One moment."', "conversation": "none"})
        assert transcript(await wire.until(DONE)) == "One moment."
        await wire.send("response.create")
        assert transcript(await wire.until(DONE)) == "First."


async def test_a_turn_of_speech_is_heard_as_the_script_says() -> None:
    script = '[[reply]]\nheard = "where is my order"\nsay = "Here."\n[[reply]]\nsay = "You spoke: {heard}"'
    async with talking(twin(script)) as wire:
        await wire.settle(transcription={"model": "any"})
        for words, answer in (("where is my order", "Here."), ("ms of speech", "You spoke: ")):
            await wire.push(padded(speech_like(1000), 400, 1000))
            told = await wire.until(HEARD)
            done = wire.of(DONE)[-1] if len(wire.of(DONE)) > len(wire.of(HEARD)) - 1 else await wire.until(DONE)
            assert told["transcript"].endswith(words) and transcript(done).startswith(answer)
        assert transcript(done) == f"You spoke: {told['transcript']}"
        length_ms = int(told["transcript"].split()[0])
        assert length_ms == round(told["usage"]["seconds"] * 1000) and 1000 < length_ms < 2200
        kinds = wire.kinds()
        assert kinds.index("input_audio_buffer.speech_stopped") < kinds.index("input_audio_buffer.committed") < kinds.index(DONE)


async def test_a_turn_that_the_client_ends_takes_its_words_then_and_its_answer_when_it_is_asked_for() -> None:
    script = '[[reply]]\nheard = "one"\nsay = "First."\n[[reply]]\nheard = "two"\nsay = "Second."\n[[reply]]\nsay = "Third."'
    async with talking(twin(script)) as wire:
        await wire.settle(turn_detection=None, transcription={"model": "any"})
        for _ in range(2):
            await wire.push(speech_like(500))
            await wire.send("input_audio_buffer.commit")
        assert [(await wire.until(HEARD))["transcript"] for _ in range(2)] == ["one", "two"]
        for answer in ("Second.", "Third."):
            await wire.send("response.create")
            assert transcript(await wire.until(DONE)) == answer


async def test_of_several_sounds_in_one_message_the_first_has_the_words() -> None:
    script = '[[reply]]\nheard = "one"\nsay = "First."\n[[reply]]\nheard = "two"\nsay = "Second."'
    async with talking(twin(script)) as wire:
        await wire.settle(transcription={"model": "any"})
        sound = base64.b64encode(to_bytes(speech_like(500))).decode()
        content = [{"type": "input_audio", "audio": sound}, {"type": "input_audio", "audio": sound}]
        await wire.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        await wire.send("response.create")
        assert transcript(await wire.until(DONE)) == "First."
        assert (await typed(wire, "x"))["output"][0]["content"][0]["transcript"] == "Second."
    assert [(event["content_index"], event["transcript"]) for event in wire.of(HEARD)] == [(0, "one"), (1, "500 ms of speech")]


async def test_words_that_are_heard_choose_the_answer() -> None:
    script = """
        [[reply]]
        heard = "Where is my ORDER?"
        [[reply]]
        when = {heard = "order"}
        call = {name = "lookup", arguments = {asked = "{heard}"}}
        [[reply]]
        when = {output_of = "lookup"}
        say = "It is {output}."
    """
    async with talking(twin(script)) as wire:
        await wire.settle(turn_detection=None)
        await wire.push(speech_like(500))
        await wire.send("input_audio_buffer.commit")
        await wire.send("response.create")
        (called,) = (await wire.until(DONE))["response"]["output"]
        assert (called["type"], called["name"], json.loads(called["arguments"])) == (
            "function_call",
            "lookup",
            {"asked": "Where is my ORDER?"},
        )
        item = {"type": "function_call_output", "call_id": called["call_id"], "output": "on its way"}
        await wire.send("conversation.item.create", item=item)
        await wire.send("response.create")
        assert transcript(await wire.until(DONE)) == "It is on its way."
        failed = await typed(wire, "something else")
        assert failed["status"] == "failed"
        assert failed["status_details"]["error"]["message"] == "the script has no reply to 'something else'"


async def test_several_calls_and_words_are_items_of_one_response() -> None:
    script = '[[reply]]\nsay = "Wait."\ncalls = [{name = "a"}, {name = "b", arguments = "{oops"}, {name = "c", arguments = ""}]'
    async with talking(twin(script)) as wire:
        said, *calls = (await typed(wire, "go"))["output"]
        assert said["content"][0]["transcript"] == "Wait."
        assert [(call["name"], call["arguments"]) for call in calls] == [("a", "{}"), ("b", "{oops"), ("c", "")]
        assert len({call["call_id"] for call in calls}) == 3
        assert [event["arguments"] for event in wire.of("response.function_call_arguments.done")] == ["{}", "{oops", ""]


async def test_an_answer_ends_and_costs_what_the_script_says() -> None:
    script = """
        [[reply]]
        say = "Half of"
        status = "incomplete"
        reason = "content_filter"
        usage = {text_in = 1, audio_in = 2, cached_in = 1, text_out = 3, audio_out = 4}
        [[reply]]
        status = "failed"
        error = {code = "rate_limit_exceeded", type = "tokens", message = "Slow down."}
        [[reply]]
        say = ""
    """
    async with talking(twin(script)) as wire:
        half, failed, empty = [await typed(wire, "x") for _ in range(3)]
    assert (half["status"], half["status_details"]["reason"], half["output"][0]["status"]) == ("incomplete", "content_filter", "incomplete")
    assert (half["usage"]["total_tokens"], half["usage"]["input_token_details"]["cached_tokens"]) == (10, 1)
    assert failed["status_details"]["error"] == {"message": "Slow down.", "code": "rate_limit_exceeded", "type": "tokens"}
    assert (failed["output"], empty["status"], empty["output"]) == ([], "completed", [])


async def test_a_late_transcript_comes_behind_the_answer_and_a_failed_one_says_why() -> None:
    script = """
        [[reply]]
        heard = "late"
        transcript_delay_ms = 60000
        say = "Soon."
        [[reply]]
        heard_fails = "too noisy"
        say = "Pardon?"
    """
    async with talking(twin(script)) as wire:
        await wire.settle(turn_detection=None, transcription={"model": "any"})
        for _ in range(2):
            await wire.push(speech_like(500))
            await wire.send("input_audio_buffer.commit")
            await wire.send("response.create")
            await wire.until(DONE)
            if not wire.of(HEARD):
                assert (await wire.until(HEARD))["transcript"] == "late"
    (failed,) = wire.of("conversation.item.input_audio_transcription.failed")
    assert failed["error"]["message"] == "too noisy"
    assert wire.kinds().index(DONE) < wire.kinds().index(HEARD)


@pytest.mark.parametrize(
    "script",
    [
        'transcript_delay_ms = 60000\n[[reply]]\nsay = "Soon."',
        '[[reply]]\nsay = "Soon."\ntranscript_delay_ms = 60000',
        'transcript_delay_ms = 60000\n[[reply]]\nsay = "Soon."\nwhen = {heard = "ms of speech"}',
    ],
)
async def test_what_nobody_says_was_heard_is_late_too(script: str) -> None:
    async with talking(twin(script)) as wire:
        await wire.settle(turn_detection=None, transcription={"model": "any"})
        await wire.push(speech_like(500))
        await wire.send("input_audio_buffer.commit")
        await wire.send("response.create")
        assert transcript(await wire.until(DONE)) == "Soon." and not wire.of(HEARD)
        assert (await wire.until(HEARD))["transcript"] == "500 ms of speech"


async def test_a_transcript_that_is_less_late_than_the_answer_comes_before_it() -> None:
    script = '[[reply]]\nheard = "first"\nsay = "Then."\ntranscript_delay_ms = 50000\ndelay_ms = 60000'
    async with talking(twin(script)) as wire:
        await wire.settle(turn_detection=None, transcription={"model": "any"})
        await wire.push(speech_like(500))
        await wire.send("input_audio_buffer.commit")
        await wire.send("response.create")
        await wire.until(DONE)
    kinds = wire.kinds()
    assert kinds.index("response.created") < kinds.index(HEARD) < kinds.index("response.output_item.added")


async def test_truncation_cuts_to_the_word_that_was_heard() -> None:
    async with talking(twin('[[reply]]\nsay = "one two three. four five six."')) as wire:
        item_id = (await typed(wire, "count"))["output"][0]["id"]
        for heard_ms, left in ((1199, "one two three. four five six."), (1100, "one two three. four five"), (390, "one two"), (149, "")):
            await wire.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms)
            assert (await wire.until("conversation.item.truncated"))["transcript"] == left


async def test_speech_stops_an_answer_and_is_answered_itself() -> None:
    script = '[[reply]]\nsay = "A long answer, of which little is heard."\npace = 0.05\n[[reply]]\nsay = "Yes?"'
    async with talking(twin(script, hurry=False)) as wire:
        await wire.settle()
        await wire.type("go")
        await wire.until("response.output_audio.delta")
        await wire.push(padded(speech_like(800), 400, 0))
        done = await wire.until(DONE)
        assert (done["response"]["status"], done["response"]["status_details"]["reason"]) == ("cancelled", "turn_detected")
        assert wire.sound_ms == 100
        await wire.push(silence(1000))
        assert transcript(await wire.until(DONE)) == "Yes?"


async def test_an_answer_that_is_cancelled_before_it_began_is_over() -> None:
    script = '[[reply]]\nsay = "Never."\ndelay_ms = 3600000\n[[reply]]\nsay = "Now."'
    async with talking(twin(script, hurry=False)) as wire:
        await wire.type("go")
        await wire.until("response.created")
        await wire.send("response.cancel")
        assert (await wire.until(DONE))["response"]["status"] == "cancelled"
        assert (await typed(wire, "again"))["output"][0]["content"][0]["transcript"] == "Now."


async def test_answers_out_of_band_take_their_turn_and_do_not_mix() -> None:
    async with talking(twin('[[reply]]\nsay = "one one one one"\n[[reply]]\nsay = "two {heard} two two"')) as wire:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "beside"}]}
        await wire.type("go")
        await wire.send("response.create", response={"conversation": "none", "input": [item], "metadata": {"who": "me"}})
        done = [await wire.until(DONE) for _ in range(2)]
    said = {event["response"]["conversation_id"] is None: transcript(event) for event in done}
    assert said == {False: "one one one one", True: "two beside two two"}


async def test_a_pause_is_judged_by_time_alone() -> None:
    async with talking(twin('[[reply]]\nsay = "Yes."')) as wire:
        await wire.settle(turn_detection={"type": "semantic_vad", "eagerness": "high"})
        await wire.push(padded(speech_like(1000), 400, 3000))
        assert transcript(await wire.until(DONE)) == "Yes."


async def test_a_silence_that_becomes_a_turn_has_no_words() -> None:
    script = '[[reply]]\nheard = "hello"\nsay = "Hello."\n[[reply]]\nsay = "Still there?"'
    async with talking(twin(script)) as wire:
        await wire.settle(turn_detection={"type": "server_vad", "idle_timeout_ms": 500}, transcription={"model": "any"})
        await wire.push(padded(speech_like(800), 400, 700))
        assert transcript(await wire.until(DONE)) == "Hello."
        while not wire.of("input_audio_buffer.timeout_triggered"):
            await wire.push(silence(100))
            await wire.send("input_audio_buffer.nonsense")
            await wire.until("error")
        if len(wire.of(DONE)) < 2:
            await wire.until(DONE)
    assert [event["transcript"] for event in wire.of(HEARD)] == ["hello", ""]


async def test_a_voice_that_dies_fails_its_answer_and_not_the_session() -> None:
    async with talking(twin('[[reply]]\nsay = "One."', FakeSynthesizer(deaths=1))) as wire:
        failed = await typed(wire, "x")
        assert (failed["status"], failed["status_details"]["error"]["message"]) == ("failed", "the synthesiser died")
        assert (await typed(wire, "x"))["status"] == "completed"


async def test_a_bug_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeSynthesizer):
        def speak(self, text: str, language: str = "en"):  # type: ignore[no-untyped-def,override]
            raise ZeroDivisionError("a bug")

    async with talking(twin('[[reply]]\nsay = "One."', Broken())) as wire:
        failed = await typed(wire, "x")
    assert failed["status"] == "failed" and "log" in failed["status_details"]["error"]["message"] and "a bug" in caplog.text


async def test_a_client_that_goes_in_mid_answer_leaves_nothing_running() -> None:
    async with talking(twin('[[reply]]\nsay = "A long answer that nobody waits for."\npace = 0.01', hurry=False)) as wire:
        await wire.type("go")
        await wire.until("response.output_audio.delta")
        await wire.link.close(1001)
