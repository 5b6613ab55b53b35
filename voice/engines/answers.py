"""One session's skills: intents in, sentences out. Pure: moments come in, nothing is read from a clock."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from fractions import Fraction

from voice.engines import notes, sums, wording
from voice.engines.base import Said
from voice.engines.moments import TimeOfDay
from voice.engines.notes import Notes
from voice.engines.skills import Intent
from voice.engines.timers import MOST, Timer, Timers, is_in_range
from voice.engines.wording import say, shortened

MOST_TOLD = 8
"""Notes or timers told at once: more cannot be kept in mind."""
_DAYS_AWAY = {"tomorrow": 1, "yesterday": -1}


class Skills:
    """What a session remembers, and what it answers.

    `zone` is the person's time zone.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._notes = Notes()
        self._timers = Timers()

    def answer(self, intent: Intent, now: float, wall_s: float, before: str = "", told: str = "") -> list[Said]:
        """The sentences that answer an intent. `now` is monotonic, `wall_s` Unix time, both in seconds.

        `before` is what the person said before this, `told` what was answered to it; "" if nothing.
        """
        language, slots = intent.language, intent.slots
        match intent.skill:
            case "time" | "date" | "day" | "month" | "year" | "tomorrow" | "yesterday":
                return [self._moment(intent.skill, wall_s, language)]
            case "date_time":
                return [self._moment(skill, wall_s, language) for skill in ("date", "time")]
            case "arithmetic":
                return [sums.sum_answer(slots, language)]
            case "convert":
                return [sums.conversion_answer(slots, language)]
            case "timer_set":
                return [self._set_timer(intent, now, wall_s)]
            case "timer_left":
                return self._left(_text(intent, "label").lower(), now, language)
            case "timer_cancel" | "timer_cancel_all":
                return [self._cancel(intent, every=intent.skill == "timer_cancel_all")]
            case "remember":
                todo = _text(intent, "todo")
                fact = shortened(f"I have to {todo}" if todo else _text(intent, "fact"))
                self._notes.add(fact)
                return [say("remembered", language, fact=_told_back(fact, language))]
            case "recall":
                return self._recall(_text(intent, "about"), language)
            case "recall_all":
                return self._recall_all(language)
            case "forget" | "forget_last" | "forget_all":
                return [self._forget(intent)]
            case _:
                return _remark(intent, before, told)

    def lookup(self, question: str, language: str = "en") -> list[Said]:
        """What was remembered that answers a question which no template knows; [] if nothing does."""
        found = self._notes.about(question) if notes.is_question(question) else ()
        return [say("recalled", language, fact=_told_back(found[0], language))] if found else []

    def due_s(self) -> float | None:
        """When the next timer is due, in monotonic seconds; None if none is running."""
        return self._timers.due_s()

    def announce(self, now: float) -> list[Said]:
        """What is to be said of the timers that are due, once."""
        return [_named("done", timer, duration=wording.duration(timer.duration_s, timer.language)) for timer in self._timers.take_due(now)]

    def _moment(self, skill: str, wall_s: float, language: str) -> Said:
        moment = datetime.fromtimestamp(wall_s, self._zone) + timedelta(days=_DAYS_AWAY.get(skill, 0))
        match skill:
            case "time":
                return say("time", language, time=wording.time_of_day(moment, language))
            case "day":
                return say("day", language, day=wording.day(moment, language))
            case "month":
                return say("month", language, month=wording.month(moment, language))
            case "year":
                return say("year", language, year=wording.year(moment, language))
        return say(skill, language, date=wording.date(moment, language))

    def _set_timer(self, intent: Intent, now: float, wall_s: float) -> Said:
        duration, at = _duration(intent), ""
        match intent.slots.get("at"):
            case TimeOfDay() as time:
                moment = datetime.fromtimestamp(wall_s, self._zone)
                ring = time.next_after(moment)
                duration, at = Fraction(max(1, round(ring.timestamp() - wall_s))), wording.time_of_day(ring, intent.language)
        if duration is None or not is_in_range(duration):
            return say("timer_range", intent.language)
        if len(self._timers) >= MOST:
            return say("timer_full", intent.language, count=MOST)
        label, task = shortened(_text(intent, "label")).lower(), shortened(_text(intent, "task"))
        timer = Timer(round(duration), now + float(duration), label, task, intent.language, at)
        self._timers.add(timer)
        return _named("set", timer, duration=wording.duration(timer.duration_s, timer.language))

    def _left(self, label: str, now: float, language: str) -> list[Said]:
        found = self._timers.find(label)
        if not found:
            return [self._no_timer(label, language)]
        told = [_named("left", timer, language, duration=wording.duration(timer.left_s(now), language)) for timer in found[:MOST_TOLD]]
        return told if len(found) == 1 else [say("timers", language, count=len(found)), *told]

    def _no_timer(self, label: str, language: str) -> Said:
        if label and len(self._timers):
            return say("timer_none_named", language, label=label)
        return say("timer_none", language)

    def _cancel(self, intent: Intent, every: bool) -> Said:
        language, label, duration = intent.language, _text(intent, "label").lower(), _duration(intent)
        found = self._timers.find(label, None if duration is None else round(duration))
        if not found:
            return self._no_timer(label, language)
        if len(found) == 1:
            self._timers.remove(found)
            return _named("cancelled", found[0], language, duration=wording.duration(found[0].duration_s, language))
        if not (every or label or duration is not None):
            names = ", ".join(timer.label or timer.at or wording.duration(timer.duration_s, language) for timer in found[:MOST_TOLD])
            return say("timer_which", language, count=len(found), names=names)
        self._timers.remove(found)
        return say("timers_cancelled", language, count=len(found))

    def _recall(self, about: str, language: str) -> list[Said]:
        found = self._notes.about(about) or self._notes.near(about)
        if not found:
            return [say("not_told" if len(self._notes) else "nothing_told", language)]
        return [say("recalled", language, fact=_told_back(found[0], language))]

    def _recall_all(self, language: str) -> list[Said]:
        found = self._notes.all()
        if not found:
            return [say("nothing_told", language)]
        told = [say("recalled", language, fact=_told_back(note, language)) for note in found[-MOST_TOLD:]]
        if len(found) == 1:
            return told
        more = [say("recalled_more", language, count=len(found) - MOST_TOLD)] if len(found) > MOST_TOLD else []
        return [say("recalled_all", language, count=len(found)), *told, *more]

    def _forget(self, intent: Intent) -> Said:
        every = self._notes.all()
        match intent.skill:
            case "forget_all":
                found = every
            case "forget_last":
                found = every[-1:]
            case _:
                found = self._notes.about(_text(intent, "about"))
        if not found and intent.skill != "forget_all":
            return say("nothing_to_forget", intent.language)
        self._notes.remove(found)
        if intent.skill == "forget_all":
            return say("forgotten_all", intent.language)
        if len(found) > 1:
            return say("forgotten_some", intent.language, count=len(found))
        return say("forgotten", intent.language, fact=_told_back(found[0], intent.language))


def _text(intent: Intent, slot: str) -> str:
    return str(intent.slots.get(slot, ""))


def _duration(intent: Intent) -> Fraction | None:
    found = intent.slots.get("duration")
    return found if isinstance(found, Fraction) else None


def _told_back(note: str, language: str) -> str:
    return notes.told_back(note) if language == "en" and note.isascii() else note


def _named(what: str, timer: Timer, language: str = "", **slots: object) -> Said:
    """The sentence for a timer with a task, with a name, or with neither; by default in the timer's own language."""
    language = language or timer.language
    if timer.task and timer.at and what == "set":
        return say("reminder_at", language, time=timer.at, task=_told_back(timer.task, language))
    if timer.task and what != "cancelled":
        return say(f"reminder_{what}", language, task=_told_back(timer.task, language), **slots)
    if timer.at:
        return say(f"alarm_{what}", language, time=timer.at, **slots)
    if timer.label:
        return say(f"timer_{what}_named", language, label=timer.label, **slots)
    return say(f"timer_{what}", language, **slots)


def _remark(intent: Intent, before: str, told: str) -> list[Said]:
    """Answers that need no memory but the last exchange."""
    language = intent.language
    match intent.skill:
        case "sound_check":
            return [say("heard_you", language, text=shortened(_text(intent, "heard")))]
        case "repeat":
            return [say("repeat", language, text=shortened(_text(intent, "what")))]
        case "repeat_last":
            return [say("you_said", language, text=shortened(before)) if before else say("said_nothing", language)]
        case "say_again":
            return [say("i_said", language, text=told) if told else say("i_said_nothing", language)]
        case "help":
            return [say("help", language), say("help_more", language)]
    return [say(intent.skill, language)]


def unknown(text: str, language: str, again: bool) -> Sequence[Said]:
    """What is said to everything else; shorter if the answer before was the same."""
    return [say("unknown", language, text=shortened(text)), say("unknown_again" if again else "unknown_more", language)]
