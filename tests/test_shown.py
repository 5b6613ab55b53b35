"""How a conversation is shown."""

import json

import pytest

from voice.commands.shown import JsonLines, PlainLines

TURN: dict[str, object] = {
    "event": "turn",
    "assistant_text": "It is ten.",
    "reply_ms": 2_000,
    "heard_ms": 2_000,
    "first_audio_ms": 640,
    "status": "completed",
}


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = JsonLines()
    lines.state("listening")
    lines.result(TURN | {"user_text": "지금"})
    lines.caption("you", "hidden")
    lines.note("a \x1b[31mred\nnote")
    out, err = capsys.readouterr()
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["state", "turn"]
    assert '"state": "listening"' in out and "지금" in out and err == "voice: a  [31mred note\n"


@pytest.mark.parametrize(
    ("turn", "captions", "want"),
    [
        ({}, ["It is ten."], "voice: It is ten.\n       (first sound 640 ms after the last word)\n"),
        (
            {"heard_ms": 900, "status": "cancelled"},
            [],
            "voice: It is ten. ...\n       (first sound 640 ms after the last word, stopped after 0.9 of 2.0 s)\n",
        ),
        ({"first_audio_ms": None}, ["It is ten."], "voice: It is ten.\n"),
        ({"first_audio_ms": None, "reply_ms": 0, "heard_ms": 0, "assistant_text": "", "status": "no_reply"}, [], "       (no reply)\n"),
        ({"first_audio_ms": None, "reply_ms": 0, "heard_ms": 0, "assistant_text": "", "status": "failed"}, [], "       (failed)\n"),
    ],
)
def test_a_turn_for_people(turn: dict[str, object], captions: list[str], want: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines()
    for text in captions:
        lines.caption("voice", text)
    lines.result(TURN | turn)
    assert capsys.readouterr().out == want


def test_captions_obey_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines()
    lines.caption("you", "what\x1b]52;c;AAAA\x07 time\r\n")
    lines.state("thinking")
    out, err = capsys.readouterr()
    assert out == "you:   what ]52;c;AAAA  time  \n" and err == "[thinking]\n"


@pytest.mark.parametrize(
    ("turns", "reconnects", "want"), [(1, 0, "1 turn, 2.5 s of sound\n"), (2, 1, "2 turns, 2.5 s of sound, 1 reconnect\n")]
)
def test_the_summary_for_people(turns: int, reconnects: int, want: str, capsys: pytest.CaptureFixture[str]) -> None:
    PlainLines().result({"event": "summary", "turns": turns, "reconnects": reconnects, "audio_in_ms": 2_500})
    assert capsys.readouterr().out == want
