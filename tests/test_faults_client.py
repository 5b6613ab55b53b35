"""Our own client against everything that the twin can do wrong, over real sockets: it never hangs or fails, and mostly the conversation goes on."""

import asyncio

import pytest

import voice
from tests.support.wire import left_over
from voice.errors import MissingError, Refused, Silent
from voice.links import dial as dialing
from voice.policy.retry import RetrySettings
from voice.protocol.notices import ErrorReported, LinkLost, Notice, ReplyEnded, ReplyLost, SessionEnded
from voice.session import Session

WAIT_S = 30.0
QUICK = RetrySettings(first_s=0.01, cap_s=0.05, tries=8, stable_s=60.0)
SCRIPT = 'voice = "tones"\npace = inf\nchunk_ms = 200\n[[reply]]\nsay = "One two three four."\n'
WORDS = "One two three four."
DELTA = 'on = {event = "response.output_audio.delta", index = 2}'
TOLD = (
    *("session.created", "session.updated", "conversation.item.added", "conversation.item.done", "rate_limits.updated"),
    *(f"response.{what}.{how}" for what in ("output_item", "content_part") for how in ("added", "done")),
    *(f"response.{what}.{how}" for what in ("output_audio", "output_audio_transcript") for how in ("delta", "done")),
    *("response.created", "response.done"),
)
"""What a twin sends in a typed conversation."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead server is noticed sooner than people would want it."""
    for name in ("PING_INTERVAL_S", "PING_TIMEOUT_S"):
        monkeypatch.setattr(dialing, name, 0.5)


def fault(lines: str) -> str:
    return "\n".join(f"[[fault]]\n{one}" for one in lines.split("\n--\n"))


class Talk:
    """Two questions to a twin, and what became of them."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.lines: list[tuple[str, str, str]] = []

    async def hold(self, faults: str) -> None:
        before = left_over()
        async with asyncio.timeout(WAIT_S), voice.twin(SCRIPT, faults=faults) as twin:
            async with voice.connect(twin.url, retry=QUICK) as session:
                await self._two_questions(session)
                self.lines = [(line.role, line.text, line.status) for line in session.history]
        assert left_over() == before

    async def _two_questions(self, session: Session) -> None:
        questions = iter(("hello", "hello again"))
        await session.say(next(questions))
        async for notice in session:
            self.notices.append(notice)
            if isinstance(notice, SessionEnded):
                return
            if isinstance(notice, ReplyEnded) or (isinstance(notice, ReplyLost) and not notice.again):
                if (question := next(questions, None)) is None:
                    return
                await session.say(question)

    def count(self, kind: type[Notice]) -> int:
        return sum(isinstance(notice, kind) for notice in self.notices)


ENDS = [
    *(f'do = "close"\ncode = {code}\n{DELTA}' for code in (1001, 1005, 1006, 1011, 1012, 1013, 4000)),
    f'do = "rst"\n{DELTA}',
    f'do = "expire"\n{DELTA}',
    f'do = "half_open"\n{DELTA}',
    f'do = "close"\n{DELTA}\n--\ndo = "refuse"\nstatus = 503\nsession = 2\n--\ndo = "refuse"\nkind = "cut"\nsession = 3',
    f'do = "rst"\n{DELTA}\n--\ndo = "refuse"\nstatus = 429\nretry_after = 0.1\nsession = 2',
    'do = "close"\non = {event = "response.create", after = true}',
    'do = "rst"\non = {event = "conversation.item.create"}',
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("lines", ENDS)
async def test_the_conversation_outlives_its_connection(lines: str) -> None:
    talk = Talk()
    await talk.hold(fault(lines))
    assert talk.count(LinkLost) >= 1 and talk.count(SessionEnded) == 0
    assert [line for line in talk.lines if line[0] == "user"] == [("user", "hello", "completed"), ("user", "hello again", "completed")]
    assert talk.lines[-1] == ("assistant", WORDS, "completed")
    assert all(text and WORDS.startswith(text) for role, text, _ in talk.lines if role == "assistant")


SLIPS = [
    f'do = "stall"\nms = 300\n{DELTA}',
    f'do = "half_open"\nms = 300\n{DELTA}',
    f'do = "delay"\nms = 100\n{DELTA}',
    *(f'do = "garbage"\nkind = "{kind}"\n{DELTA}' for kind in ("not_json", "truncated", "types", "binary")),
    f'do = "garbage"\ntext = "[]"\n{DELTA}',
    f'do = "error"\ncode = "x"\n{DELTA}',
]


@pytest.mark.parametrize("lines", SLIPS)
async def test_a_slip_costs_no_word(lines: str) -> None:
    talk = Talk()
    await talk.hold(fault(lines))
    assert talk.count(LinkLost) == 0 and talk.count(ReplyEnded) == 2
    told = [("user", "hello", "completed"), ("assistant", WORDS, "completed")]
    assert talk.lines == [*told, ("user", "hello again", "completed"), told[1]]
    assert talk.count(ErrorReported) == (0 if lines.startswith(('do = "stall', 'do = "half', 'do = "delay')) else 1)


@pytest.mark.parametrize("do", ["drop", "duplicate", "reorder", "delay"])
@pytest.mark.parametrize("event", TOLD)
async def test_any_event_may_be_missing_doubled_or_late(do: str, event: str) -> None:
    """But for those without which nobody can know that it goes on: the settings in effect, and the end of an answer."""
    owed = do == "drop" and event in ("session.created", "session.updated", "response.done")
    more = "\nms = 50" if do == "delay" else "\nevents = 1" if do == "reorder" else ""
    talk = Talk()
    try:
        async with asyncio.timeout(1.0 if owed else None):
            await talk.hold(fault(f'do = "{do}"\non = {{event = "{event}"}}{more}'))
    except TimeoutError:
        assert owed
        return
    assert not owed, "it need not be excepted any more"
    assert [line for line in talk.lines if line[0] == "user"] == [("user", "hello", "completed"), ("user", "hello again", "completed")]
    assert talk.lines[-1][:2] == ("assistant", WORDS) and talk.count(LinkLost) == 0


@pytest.mark.parametrize("event", TOLD)
async def test_a_connection_may_break_before_any_event(event: str) -> None:
    talk = Talk()
    await talk.hold(fault(f'do = "close"\non = {{event = "{event}"}}'))
    assert talk.count(LinkLost) == 1 and talk.count(SessionEnded) == 0
    assert [line for line in talk.lines if line[0] == "user"] == [("user", "hello", "completed"), ("user", "hello again", "completed")]
    assert talk.lines[-1][:2] == ("assistant", WORDS)
    assert all(text for _, text, _ in talk.lines), "nothing is left of an answer of which nothing came"


async def test_a_session_that_nobody_answers_can_be_left() -> None:
    for lines in (f'do = "stall"\n{DELTA}', f'do = "half_open"\n{DELTA}'):
        before = left_over()
        async with asyncio.timeout(WAIT_S), voice.twin(SCRIPT, faults=fault(lines)) as twin:
            async with voice.connect(twin.url, retry=QUICK) as session:
                await session.say("hello")
                async for notice in session:
                    if isinstance(notice, voice.ReplyAudio):
                        break
        assert left_over() == before


@pytest.mark.parametrize(
    ("lines", "error", "says"),
    [
        ('do = "refuse"\nstatus = 401', Refused, "the key was refused"),
        ('do = "refuse"\nstatus = 429\nretry_after = 2', Refused, "Rate limit reached"),
        ('do = "refuse"\nkind = "cut"', MissingError, "did not answer as a WebSocket server"),
        ('do = "refuse"\nkind = "silence"', Silent, "did not answer within"),
    ],
)
async def test_a_first_connection_that_is_refused_says_why(
    lines: str, error: type[MissingError], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialing, "OPEN_TIMEOUT_S", 0.5)
    with pytest.raises(error, match=says) as told:
        await Talk().hold(fault(lines))
    if isinstance(told.value, Refused):
        assert told.value.retry_after_s == (2.0 if "retry_after" in lines else None)
