"""One session's skills: what it remembers and answers, with moments that come in."""

from datetime import UTC, timedelta, timezone

from voice.engines.answers import MOST_TOLD, Skills, unknown
from voice.engines.base import Said
from voice.engines.skills import Intent, match
from voice.engines.timers import MOST

FRIDAY = 1_795_190_999.0
"""2026-11-20 16:09:59 UTC."""


class Session:
    """A person who talks to one `Skills`."""

    def __init__(self) -> None:
        self.skills = Skills(UTC)
        self.before = self.told = ""

    def ask(self, text: str, now: float = 0.0) -> str:
        intent = match(text)
        assert intent is not None, text
        said = self.skills.answer(intent, now, FRIDAY, self.before, self.told)
        self.before, self.told = text, " ".join(sentence.text for sentence in said)
        return self.told


def test_moments() -> None:
    session = Session()
    assert session.ask("what time is it") == "It is 4:09 PM."
    assert session.ask("what is the date") == "Today is Friday, November 20th, 2026."
    assert session.ask("what is the date and time") == "Today is Friday, November 20th, 2026. It is 4:09 PM."
    assert session.ask("what day is it") == "Today is Friday."
    assert session.ask("what day is tomorrow") == "Tomorrow is Saturday, November 21st, 2026."
    assert session.ask("what day was yesterday") == "Yesterday was Thursday, November 19th, 2026."
    assert session.ask("what month is it") == "It is November 2026."
    assert session.ask("what year is it") == "It is 2026."


def test_the_zone_decides() -> None:
    skills = Skills(timezone(timedelta(hours=9)))
    assert skills.answer(Intent("date", {}), 0.0, FRIDAY) == [Said("Today is Saturday, November 21st, 2026.")]


def test_a_timer_from_beginning_to_end() -> None:
    session = Session()
    assert session.ask("how much time is left") == "There is no timer running."
    assert session.ask("set a timer for ten seconds", now=100.0) == "Your timer for 10 seconds is set."
    assert session.skills.due_s() == 110.0
    assert session.ask("how much time is left", now=103.2) == "7 seconds left on your timer."
    assert session.skills.announce(109.9) == []
    assert session.skills.announce(110.0) == [Said("Your timer for 10 seconds is done.")]
    assert session.skills.announce(111.0) == [] and session.skills.due_s() is None


def test_several_timers() -> None:
    session = Session()
    session.ask("set a timer for five minutes")
    session.ask("set a pasta timer for eight minutes")
    assert session.ask("cancel the timer").startswith("You have 2 timers.")
    assert session.ask("how much time is left on the pasta timer", now=60.0) == "7 minutes left on your pasta timer."
    assert session.ask("cancel the egg timer") == "There is no egg timer."
    assert session.ask("what timers are running") == "You have 2 timers. 5 minutes left on your timer. 8 minutes left on your pasta timer."
    assert session.ask("cancel the five minute timer") == "Your timer for 5 minutes is cancelled."
    assert session.ask("cancel the timer") == "Your pasta timer is cancelled."
    session.ask("set a timer for five minutes")
    session.ask("set a timer for six minutes")
    assert session.ask("cancel all timers") == "All 2 timers are cancelled."
    assert session.skills.due_s() is None


def test_a_reminder_says_what_it_is_for() -> None:
    session = Session()
    assert session.ask("remind me in ten minutes to call my mom") == "In 10 minutes I will remind you: call your mom."
    assert session.ask("how much time is left", now=300.0) == "5 minutes left until I remind you: call your mom."
    assert session.skills.announce(600.0) == [Said("Here is your reminder: call your mom.")]


def test_an_alarm_rings_at_its_time() -> None:
    session = Session()
    assert session.ask("wake me up at half past four") == "Your alarm for 4:30 PM is set."
    assert session.skills.due_s() == 1201.0
    assert session.ask("remind me at 5 pm to call anna") == "At 5 PM I will remind you: call anna."
    left = session.ask("how much time is left", now=601.0)
    assert left == ("You have 2 timers. 10 minutes left until your alarm for 4:30 PM. 40 minutes left until I remind you: call anna.")
    assert session.skills.announce(1201.0) == [Said("It is 4:30 PM. Here is your alarm.")]
    assert session.ask("set an alarm for 7 am") == "Your alarm for 7 AM is set."
    assert session.ask("cancel all timers") == "All 2 timers are cancelled."


def test_timers_have_bounds() -> None:
    session = Session()
    assert session.ask("set a timer for zero seconds") == "I can only count from one second to seven days."
    assert session.ask("set a timer for eight days") == "I can only count from one second to seven days."
    for _ in range(MOST):
        session.ask("set a timer for one minute")
    assert session.ask("set a timer for one minute") == "You already have 20 timers. Please cancel one first."
    assert len(session.skills.announce(60.0)) == MOST


def test_remember_and_recall() -> None:
    session = Session()
    assert session.ask("what did i tell you") == "You have not told me anything to remember yet."
    assert session.ask("where are my keys") == "You have not told me anything to remember yet."
    assert session.ask("remember that my keys are in the kitchen") == "I will remember that your keys are in the kitchen."
    assert session.ask("where are my keys") == "Your keys are in the kitchen."
    assert session.ask("where is my passport").startswith("You have not told me that yet.")
    assert session.ask("please remember that the door code is blue") == "I will remember that the door code is blue."
    assert session.skills.lookup("what is the door code") == [Said("The door code is blue.")]
    assert session.skills.lookup("what is the capital of france") == []
    assert session.skills.lookup("the door code") == []
    assert session.ask("what did i tell you") == "You told me 2 things. Your keys are in the kitchen. The door code is blue."
    session.ask("remember my name is Anna")
    assert session.ask("what's my name") == "Your name is Anna."
    assert session.ask("remember to feed the cat") == "I will remember that you have to feed the cat."


def test_forget() -> None:
    session = Session()
    assert session.ask("forget that") == "There is nothing like that in my memory."
    for fact in ("my keys are in the kitchen", "the code is blue", "the code is red", "anna is my aunt"):
        session.ask(f"remember that {fact}")
    assert session.ask("forget that") == "I have forgotten that anna is your aunt."
    assert session.ask("forget about the code") == "I have forgotten 2 things."
    assert session.ask("forget about the moon") == "There is nothing like that in my memory."
    assert session.ask("what did i tell you") == "Your keys are in the kitchen."
    assert session.ask("forget everything") == "I have forgotten everything that you told me."
    assert session.ask("what did i tell you") == "You have not told me anything to remember yet."


def test_only_the_newest_are_told() -> None:
    session = Session()
    for n in range(MOST_TOLD + 3):
        session.ask(f"remember that box {n} is full")
    told = session.ask("what did i tell you")
    assert told.startswith("You told me 11 things. Box 3 is full.") and told.endswith("Box 10 is full. And 3 more.")


def test_repeating() -> None:
    session = Session()
    assert session.ask("what did i just say") == "You have not said anything before that."
    assert session.ask("repeat after me hello my friend") == "Hello my friend."
    assert session.ask("what did i just say") == "You said: repeat after me hello my friend."
    assert session.ask("say that again") == "I said: You said: repeat after me hello my friend."


def test_everything_else_is_said_honestly_and_shorter_the_second_time() -> None:
    first, second = (unknown("what is {love}?", "en", again) for again in (False, True))
    assert [said.text for said in first][0] == "I heard: what is {love}."
    assert "OPENAI_BASE_URL" in first[1].text and "OPENAI_BASE_URL" not in second[1].text


def test_every_plain_skill_has_its_sentence() -> None:
    from voice.engines.skills import table

    skills = Skills(UTC)
    for skill in table().skills:
        for language in ("en", "ko"):
            if skill.name not in ("arithmetic", "convert"):
                said = skills.answer(Intent(skill.name, {}, language), 0.0, FRIDAY)
                assert said and all(sentence.language == language for sentence in said), skill.name
