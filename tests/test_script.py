"""The twin's script: what a file may say, and how each mistake in it is named."""

from pathlib import Path

import pytest

from voice.engines.pacing import Pacing
from voice.engines.script import Call, When, default_script, load_script, read_script
from voice.errors import ConfigError
from voice.protocol.objects import InputTokens, OutputTokens, StatusDetails, Usage

HELLO = '[[reply]]\nsay = "Hello."\n'
CSV = "reply,seq,audio_ms,sent_s,arrived_s\n0,0,40,0,1\n0,1,40,0,1.5\n"


def test_a_reply_says_what_it_is() -> None:
    text = """
        delay_ms = 10
        pace = 2.0
        [[reply]]
        say = "One moment."
        heard = "where is my order"
        transcript_delay_ms = 250
        calls = [
            { name = "lookup", arguments = { id = 7, deep = { list = [1, "two"] } } },
            { name = "broken", arguments = "{not json", call_id = "call_mine" },
            { name = "bare" },
        ]
        [[reply]]
        tone_ms = 800
        delay_ms = 0
        pace = inf
        chunk_ms = 40
        status = "incomplete"
        [[reply]]
        heard_fails = "too noisy"
        status = "failed"
        error = { code = "insufficient_quota", message = "No credit." }
        usage = { text_in = 14, audio_in = 27, cached_in = 5, text_out = 28, audio_out = 136 }
        [[reply]]
        when = { output_of = "lookup", output = "sun" }
        call = { name = "again" }
    """
    first, second, third, fourth = read_script(text, "s.toml").replies
    assert (first.number, first.say, first.heard, first.transcript_delay_ms, first.delay_ms) == (
        1,
        "One moment.",
        "where is my order",
        250,
        10,
    )
    assert first.calls == (
        Call("lookup", {"id": 7, "deep": {"list": [1, "two"]}}),
        Call("broken", "{not json", "call_mine"),
        Call("bare", {}),
    )
    assert first.pacing == Pacing(2.0, 100) and first.ending is None and first.usage is None
    assert (second.tone_ms, second.delay_ms, second.pacing) == (800, 0, Pacing(float("inf"), 40))
    assert second.ending == StatusDetails("incomplete", reason="max_output_tokens")
    assert third.heard_fails == "too noisy" and third.answers
    assert third.ending == StatusDetails("failed", error={"message": "No credit.", "code": "insufficient_quota", "type": "server_error"})
    assert third.usage == Usage(205, 41, 164, InputTokens(14, 27, 0, 5), OutputTokens(28, 136))
    assert fourth.when == When(output_of="lookup", output="sun") and fourth.calls == (Call("again", {}),)


def test_the_top_of_a_file_has_defaults_and_the_order() -> None:
    script = read_script(HELLO, "s.toml")
    assert (script.voice, script.each_session, script.expires_at, script.replies[0].pacing) == ("auto", False, None, Pacing(3.0, 100))
    script = read_script(f'order = "session"\nvoice = "tones"\nexpires_at = 2000000000\nchunk_ms = 20\n{HELLO}', "s.toml")
    assert (script.voice, script.each_session, script.expires_at, script.replies[0].pacing) == ("tones", True, 2000000000, Pacing(3.0, 20))


def test_what_answers_without_a_script_is_a_script() -> None:
    script = default_script()
    assert [reply.say for reply in script.replies] == ["{output}", "{heard}"] and script.replies[0].when == When(output_of="*")


def test_a_program_may_give_its_values_instead_of_a_text() -> None:
    assert read_script({"reply": [{"say": "Hello."}]}, "script") == read_script(HELLO, "script")
    with pytest.raises(ConfigError, match=r"script\.reply\[0\]\.when: 'when' has either"):
        read_script({"reply": [{"say": "x", "when": {}}]}, "script")


def test_arrivals_are_found_beside_the_script_or_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "slow.csv").write_text(CSV)
    (tmp_path / "slow.csv").write_text(CSV.replace("1.5", "9"))
    (tmp_path / "here.csv").write_text(CSV.replace("1.5", "2"))
    text = "".join(f'[[reply]]\nsay = "a"\npace = {pace}\n' for pace in ('"here.csv"', "1", '"slow.csv"'))
    (tmp_path / "inner" / "s.toml").write_text(f'pace = "slow.csv"\n[[reply]]\nsay = "a"\n{text}')
    monkeypatch.chdir(tmp_path)
    found = [reply.pacing for reply in load_script(Path("inner", "s.toml")).replies]
    assert [[slot.due_s for slot in pacing.recorded[0]] for pacing in (found[0], found[1], found[3])] == [[0, 0.5], [0, 1.0], [0, 0.5]]
    assert found[2] == Pacing(1.0, 100) and found[0].recorded is found[3].recorded


def test_what_the_words_and_outputs_of_a_condition_are() -> None:
    order = When(heard=r"\border\b")
    assert order.fits("Where is my ORDER?", ()) and not order.fits("borders", ()) and not order.fits(None, (("x", "order"),))
    lookup = When(output_of="lookup")
    assert lookup.fits(None, (("other", "1"), ("lookup", "2"))) and not lookup.fits("lookup", (("other", "1"),))
    sunny = When(output_of="*", output="sun|bright")
    assert sunny.fits(None, (("any", "It is Sunny."),)) and not sunny.fits(None, (("any", "rain"),)) and not sunny.fits("sun", ())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "s.toml:1: no [[reply]] in it: there is nothing to answer with"),
        ("# nothing\n", "s.toml:1: no [[reply]] in it"),
        ("[[reply]]\n", "s.toml:1: this reply is none: give it say"),
        (f"{HELLO}[[reply]]\nwhen = {{ heard = 'x' }}\n", "s.toml:3: this reply is none: give it say"),
        ("[[reply]]\nheard = 'x'\n", "s.toml:1: no reply answers anything"),
        (f"{HELLO}tone_ms = 5\n", "s.toml:3: 'say' and 'tone_ms' contradict each other: leave one out"),
        (f"{HELLO}call = {{name='a'}}\n\ncalls = [{{name='b'}}]\n", "s.toml:5: 'call' and 'calls' contradict each other"),
        (f"{HELLO}heard = 'a'\nheard_fails = 'b'\n", "s.toml:4: 'heard' and 'heard_fails' contradict each other"),
        (f"{HELLO}heard = 'a'\nwhen = {{heard='b'}}\n", "s.toml:3: 'when' and 'heard' contradict each other"),
        (f"{HELLO}when = {{heard='b'}}\ntranscript_delay_ms = 5\n", "s.toml:4: 'when' and 'transcript_delay_ms' contradict each other"),
        (f"{HELLO}when = {{}}\n", "s.toml:3: 'when' has either 'heard' or 'output_of'"),
        (f"{HELLO}when = {{heard='a', output_of='b'}}\n", "s.toml:3: 'when' has either"),
        (f"{HELLO}when = {{heard='a', output='b'}}\n", "s.toml:3: 'output' goes with 'output_of'"),
        (f"{HELLO}[reply.when]\nheard = '(a'\n", "s.toml:4: heard: this is no regular expression: missing )"),
        (f"{HELLO}when = {{output_of='a', output='*'}}\n", "s.toml:3: output: this is no regular expression: nothing to repeat"),
        (f"{HELLO}reason = 'content_filter'\n", "s.toml:3: 'reason' is for status = \"incomplete\", and this one is completed"),
        (f"{HELLO}status = 'incomplete'\nerror = {{}}\n", "s.toml:4: 'error' is for status = \"failed\", and this one is incomplete"),
        (f"{HELLO}status = 'cancelled'\n", "s.toml:3: status: is one of completed, incomplete, failed, not 'cancelled'"),
        (f"{HELLO}dealy_ms = 5\n", "s.toml:3: no key 'dealy_ms' here: did you mean 'delay_ms'?"),
        (f"{HELLO}call = {{name = 'a', args = {{}}}}\n", "s.toml:3: no key 'args' here: did you mean 'arguments'?"),
        (f"{HELLO}call = {{arguments = {{}}}}\n", "s.toml:3: call has no 'name'"),
        (f"{HELLO}usage = {{text_in = 3, audio_in = 1, cached_in = 5}}\n", "s.toml:3: cached_in: of 4 tokens that are read"),
        (f"{HELLO}[reply.usage]\ncached_in = 9\n", "s.toml:4: cached_in: of 0 tokens"),
        (
            f"{HELLO}calls = [\n{{name='a', call_id='c'}},\n{{name='b', call_id='c'}}]\n",
            "s.toml:5: call_id: 'c' is another call's of this reply",
        ),
        ("[[reply]]\nsay = 'You said {herd}.'\n", "s.toml:2: say: no {herd}: did you mean {heard}? ({{herd}} is a word in braces)"),
        ("[[reply]]\nsay = 'You said { Heard }.'\n", "s.toml:2: say: no { Heard }: did you mean {heard}?"),
        ("[[reply]]\nsay = '{name}'\n", "s.toml:2: say: no {name}: there are {heard} and {output} ("),
        ("[[reply]]\nsay = 'You said {heard.'\n", "s.toml:2: say: '{heard' is not closed: {heard}"),
        (f"{HELLO}call = {{name='a', arguments={{b=[\n'{{otput}}']}}}}\n", "s.toml:4: b: no {otput}: did you mean {output}?"),
        (f"{HELLO}call = {{name='a', arguments={{d=nan}}}}\n", "s.toml:3: arguments: JSON has no nan"),
        (f"{HELLO}[reply.call]\nname = 'a'\n[reply.call.arguments]\nd = [-inf]", "s.toml:6: arguments: JSON has no -inf"),
        (
            f"{HELLO}calls = [{{name='a', arguments={{d=2020-01-01}}}}]\n",
            's.toml:3: arguments: JSON has no dates and times: write it as a text, "2020-01-01"',
        ),
        (f"{HELLO}call = {{name='a', arguments={{d=10:30:00}}}}\n", "s.toml:3: arguments: JSON has no dates and times"),
        (f"{HELLO}call = {{name='a', arguments={{d=0x{'f' * 300}}}}}\n", "s.toml:3: arguments: this number is too large"),
        ("[[reply]]\nsay = '\ud800'\n", "s.toml:2: a text has half of a surrogate pair in it"),
        (f"{HELLO}say = 'y'\n", "s.toml:3: 'reply.say' is given already, on line 2"),
        (f"{HELLO}delay_ms = {'1' * 5000}\n", "s.toml:3: a number has 4300 digits at most"),
        (f"{HELLO}delay_ms = -1\n", "s.toml:3: delay_ms: expected whole number >= 0"),
        (f"{HELLO}delay_ms = 1.5\n", "s.toml:3: delay_ms: expected whole number"),
        (f"{HELLO}pace = 0\n", "s.toml:3: pace: expected number > 0"),
        (f"{HELLO}chunk_ms = 500\n", "s.toml:3: chunk_ms: expected whole number <= 200"),
        (f"{HELLO}pace = 'nowhere.csv'\n", "s.toml:3: pace: cannot read the arrivals 'nowhere.csv': No such file or directory"),
        (HELLO + 'pace = "\\u0000"\n', "s.toml:3: pace: cannot read the arrivals '"),
        (HELLO + f"pace = '{'x' * 300}'\n", "': File name too long"),
        ("pace = 'nowhere.csv'\n" + HELLO, "s.toml:1: pace: cannot read the arrivals 'nowhere.csv'"),
        ("voice = 'tone'\n" + HELLO, "s.toml:1: no voice 'tone': did you mean 'tones'?"),
        ('voice = "t\\nnes"\n' + HELLO, "s.toml:1: no voice 't nes': did you mean 'tones'?"),
        ("order = 'random'\n" + HELLO, "s.toml:1: order: is one of life, session, not 'random'"),
        ("[[replies]]\nsay = 'x'\n", "s.toml:1: no key 'replies' here: did you mean 'reply'?"),
        ("[reply]\nsay = 'x'\n", "s.toml:1: reply: expected list, got table"),
        ("[[reply]]\nsay = \n", "s.toml:2: this is not TOML: Invalid value"),
        (b"[[reply]]\nsay = '\xe4'\n", "s.toml:2: this is not UTF-8"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_key(text: str | bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as told:
        read_script(text, "s.toml")
    assert says in str(told.value) and "\n" not in str(told.value)


NESTED: dict[str, object] = {}
NESTED["d"] = NESTED


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"say": "\ud800"}, "s.reply[0].say: a text has half of a surrogate pair in it, which is no character"),
        ({"call": {"name": "a", "arguments": {"x\udfff": 1}}}, "s.reply[0].call.arguments.(a key): a text has half"),
        ({"call": {"name": "a", "arguments": {"d": [{1, 2}]}}}, "s.reply[0].call.arguments.d[0]: arguments: JSON has no set"),
        ({"call": {"name": "a", "arguments": {"d": b"x"}}}, "s.reply[0].call.arguments.d: arguments: JSON has no bytes"),
        ({"call": {"name": "a", "arguments": {"d": {1: 2}}}}, "s.reply[0].call.arguments.d: arguments: a key is a text, not 1"),
        ({"call": {"name": "a", "arguments": NESTED}}, "s: it is too deep"),
    ],
)
def test_objects_that_are_no_json_are_named_by_their_place(reply: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_script({"reply": [reply]}, "s")
    assert str(told.value).startswith(says)


def test_braces_that_are_meant_and_what_json_has() -> None:
    arguments = {"none": None, "n": 1 << 60, "t": (1.5, True), "text": "{{herd}} {} {'a': 1} {heard} {{{output}}}"}
    given = {"reply": [{"say": "{{herd}} {} {x y}", "call": {"name": "a", "arguments": arguments}}]}
    assert read_script(given, "s").replies[0].calls[0].arguments == arguments


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the script '.*none.toml': No such file or directory"):
        load_script(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot read the script '.*': Is a directory"):
        load_script(tmp_path)
    (tmp_path / "huge.toml").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ConfigError, match="is too large"):
        load_script(tmp_path / "huge.toml")
    (tmp_path / "s.toml").write_text("[[reply]]\nsay = 'x'\npace = 'bad.csv'\n")
    for content, says in (
        (CSV + "0,2,40,0,x\n", r"s\.toml:3: pace: .*bad\.csv:4: arrived_s is a number"),
        ("\ufeff", "the first line names"),
    ):
        (tmp_path / "bad.csv").write_text(content)
        with pytest.raises(ConfigError, match=says):
            load_script(tmp_path / "s.toml")
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"s\.toml:3: pace: 'bad\.csv' is no text"):
        load_script(tmp_path / "s.toml")
    (tmp_path / "s.toml").write_text("pace = 'bad.csv'\n[[reply]]\nchunk_ms = 40\nsay = 'x'\n")
    (tmp_path / "bad.csv").write_text(CSV)
    with pytest.raises(ConfigError, match=r"s\.toml:3: 'chunk_ms' has no meaning"):
        load_script(tmp_path / "s.toml")
