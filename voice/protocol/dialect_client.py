"""Before a client that speaks a dialect: its server speaks the protocol of today. See `interpreter.py`.

The order of today is one that every dialect's client bears, so events are renamed, reshaped and left out, and never held back.
"""

from collections.abc import Callable
from typing import Any

from voice.protocol.dialect import Dialect
from voice.protocol.dialect_items import NEW_CONTENT, OLD_CONTENT, rename_contents, rename_error, rewrite_sounds, their_usage
from voice.protocol.dialect_link import APPEND, CLEAR, COMMIT, Microphone, Passage, passage, read, type_of
from voice.protocol.dialect_parts import Sounding
from voice.protocol.dialect_settings import possible, their_path, to_ours, to_theirs, written
from voice.protocol.dialect_sound import Formats, Way, first_of, nearest, read_theirs, whole
from voice.protocol.dialect_told import Event
from voice.protocol.flat import PLACES, put

TODAY = Sounding()
WORDS = "conversation.item.input_audio_transcription."
_NAMELESS = ("input_audio_buffer.speech_", "response.output_audio", "response.output_text", "response.function_call_arguments")
"""Events that some dialects' servers tell without their item."""


class ClientInterpreter:
    """Before a client that speaks `dialect`."""

    def __init__(self, dialect: Dialect, new_id: Callable[[str], str]) -> None:
        self._dialect, self._new_id = dialect, new_id
        self._client = first_of(dialect.sound)
        self._server = self._nearest(self._client)
        self._microphone = Microphone(self._way_up(), new_id)
        self._ways: dict[str, Way] = {}
        self._kind = "realtime"
        self._own: Event = {}
        self._updated = self._unanswered = False
        self._words: dict[str, str] = {}
        self._written: dict[str, str] = {}

    def _nearest(self, formats: Formats) -> Formats:
        """How a server of today writes sound, as close as it can."""
        return Formats(*(nearest(one, TODAY.formats_in, TODAY.rates_in_hz) for one in (formats.up, formats.down)))

    def _way_up(self) -> Way:
        return Way(self._client.up, self._server.up, from_wav=self._dialect.sound.wav)

    # Client -> server.

    def up(self, text: str) -> Passage:
        """A client's message."""
        if self._dialect.plain or (self._microphone.way.untouched and type_of(text) == APPEND):
            return Passage((text,))
        event = read(text)
        if event is None:
            return Passage((text,))
        kind = event["type"]
        if kind in (APPEND, COMMIT, CLEAR):
            return self._microphone.carry(event)
        if kind in ("session.update", "transcription_session.update"):
            self._update(event)
        elif kind == "response.create" and isinstance(event.get("response"), dict):
            self._written |= written(event["response"])
            event["response"] = to_ours(event["response"], self._dialect, self._server, asked=True)
        rewrite_sounds(event, lambda sound: whole(sound, self._client.up, self._server.up, from_wav=self._dialect.sound.wav), str)
        if self._dialect.events.old_content:
            rename_contents(event, NEW_CONTENT)
        return passage([event])

    def _update(self, event: Event) -> None:
        """A change of the settings. What only the dialect has is told back to the client, and means nothing to the server."""
        if event["type"].startswith("transcription_session"):
            event["type"], self._kind = "session.update", "transcription"
        asked = event.get("session")
        if not isinstance(asked, dict):
            return
        self._updated = True
        self._written |= written(asked)
        self._client = read_theirs(asked, self._dialect.sound, self._client)
        self._server = self._nearest(self._client)
        way = self._way_up()
        if (way.source, way.goal) != (self._microphone.way.source, self._microphone.way.goal):
            self._microphone.way = way
        kept = self._dialect.settings.own - {"client_secret"}
        self._own.update({name: value for name, value in asked.items() if name in kept})
        ours = to_ours(asked, self._dialect, self._server, asked=True)
        if self._kind == "transcription":
            ours.pop("output_modalities", None)
        if self._dialect.detection.repeated and ".".join(PLACES["turn_detection"]) not in written(asked):
            put(ours, PLACES["turn_detection"], None)
        event["session"] = ours if self._dialect.settings.typed else {"type": self._kind, **ours}

    # Server -> client.

    def down(self, text: str) -> Passage:
        """A server's message."""
        event = None if self._dialect.plain else read(text)
        if event is None:
            return Passage((text,))
        kind = event["type"]
        if kind in self._dialect.events.silent_about:
            return Passage()
        event["type"] = self._dialect.events.names.get(kind, kind)
        if kind in ("session.created", "session.updated") and isinstance(event.get("session"), dict):
            return self._session(kind, event)
        if kind.startswith(WORDS):
            return passage(self._heard(kind, event))
        rewrite_sounds(
            event,
            lambda sound: whole(sound, self._server.up, self._client.up, to_wav=self._dialect.sound.wav),
            lambda sound: whole(sound, self._server.down, self._client.down),
        )
        if not self._dialect.events.item_names and kind.startswith(_NAMELESS):
            event.pop("item_id", None)
        before = self._sound(kind, event)
        if isinstance(event.get("error"), dict):
            self._error(event)
        if isinstance(event.get("response"), dict):
            self._response(kind, event)
        if kind == "response.function_call_arguments.done" and not self._dialect.events.call_names:
            event.pop("name", None)
        if self._dialect.events.old_content:
            rename_contents(event, OLD_CONTENT)
        return passage([*before, event])

    def _session(self, kind: str, event: Event) -> Passage:
        """The settings in effect. A session begins as those of the service do: where they begin without turn detection it is switched off."""
        settings, begins = event["session"], kind == "session.created"
        if settings.get("type") in ("realtime", "transcription"):
            self._kind = settings["type"]
        off: Event = {}
        if begins and not self._updated and not self._dialect.detection.at_first:
            put(off, PLACES["turn_detection"], None)
            put(settings, PLACES["turn_detection"], None)
        mine, self._unanswered = self._unanswered and not begins, bool(off)
        if mine:
            # The answer to that request of ours: the client has not asked for it.
            return Passage()
        event["session"] = {**to_theirs(settings, self._dialect, self._client), **self._own}
        if self._kind == "transcription" and self._dialect.settings.transcription_sessions:
            event["type"] = f"transcription_{kind}"
            event["session"].setdefault("client_secret", None)
        greets = self._dialect.events.greets if begins else ()
        request = {"type": "session.update", "event_id": self._new_id("event"), "session": {"type": self._kind, **off}}
        told = [event, *({"type": name, "event_id": self._new_id("event")} for name in greets)]
        return passage(told, [request] if off else [])

    def _error(self, event: Event) -> None:
        """An error speaks of settings as the client writes them, and of what its dialect has."""
        error = event["error"]
        possibly = possible(str(error.get("param")), self._dialect) if error.get("code") == "invalid_value" else None
        rename_error(event, lambda param: their_path(param, self._dialect.settings, self._written))
        if possibly:
            error["message"] = f"Invalid value for '{error['param']}'. Supported values are: {possibly}."

    def _response(self, kind: str, event: Event) -> None:
        body = to_theirs(event["response"], self._dialect, self._client)
        if "max_response_output_tokens" in body:
            body["max_output_tokens"] = body.pop("max_response_output_tokens")
        body.update({name: value for name, value in self._own.items() if name == "temperature"})
        usage = their_usage(body.get("usage"))
        event["response"] = {**body, "usage": usage}
        if self._dialect.events.usage_outside:
            event["response"].update(usage={}, status_details="unimplemented")
            if kind == "response.done":
                event["usage"] = usage

    def _heard(self, kind: str, event: Event) -> list[Event]:
        """What the user said."""
        telling, item_id = self._dialect.events, str(event.get("item_id"))
        event.pop("languages", None)
        if kind == f"{WORDS}completed":
            self._words.pop(item_id, None)
            if not telling.words_usage:
                event.pop("usage", None)
            return [{**event, "status": "completed"} if telling.whole_words else event]
        if kind == f"{WORDS}delta" and telling.whole_words:
            self._words[item_id] = self._words.get(item_id, "") + str(event.pop("delta", None) or "")
            return [{**event, "type": f"{WORDS}updated", "transcript": self._words[item_id]}]
        return [event]

    def _sound(self, kind: str, event: Event) -> list[Event]:
        """The sound of an answer, in the client's form; gives what has to come before the event."""
        if self._server.down == self._client.down or not kind.startswith("response.output_audio."):
            return []
        name = f"{event.get('response_id')} {event.get('item_id')} {event.get('content_index')}"
        way = self._ways.setdefault(name, Way(self._server.down, self._client.down))
        delta: Any = event.get("delta")
        if kind.endswith(".delta"):
            try:
                event["delta"] = way.carry(delta) if isinstance(delta, str) else delta
            except ValueError:
                # Whoever plays it finds that it is no sound.
                pass
            return []
        del self._ways[name]
        theirs = self._dialect.events.names.get("response.output_audio.delta", "response.output_audio.delta")
        tail = {**event, "type": theirs, "event_id": self._new_id("event"), "delta": way.end()}
        return [tail] if tail["delta"] else []
