"""Sentences as people say and type them, and the intents that they are; sentences that are none."""

from fractions import Fraction

import pytest

from voice.engines import skills
from voice.engines.arithmetic import Sum
from voice.engines.skills import Intent, match
from voice.engines.units import Unit

SAID = {
    "time": """
        what time is it
        What's the time?
        whats the time
        tell me the time
        what's the time please
        could you tell me what time it is
        do you have the time
        can you give me the time
        time please
        what time is it now
        what is the current time
        hey what time is it
        do you know what time it is
        what time do you have
        got the time
        have you got the time
        can you please tell me the time
        please tell me what the time is
        what's the time right now
        I'd like to know the time
        what hour is it
        current time
        could you please tell me the current time
        may i ask what time it is
    """,
    "day": """
        what day is it today
        what day is it
        what day is today
        which day is it
        what day of the week is it
        tell me what day it is
        today is what day
        what's today
        do you know what day it is today
        what weekday is it
        can you tell me what day of the week it is
    """,
    "date": """
        what is the date
        what's today's date
        what is today's date
        what date is it today
        tell me the date
        tell me today's date
        what is the date today
        can you tell me the date please
        what's the date?
        today's date
        what date is it
    """,
    "arithmetic": """
        what is twenty three times seventeen
        twelve divided by five
        how much is 5 plus 7
        what is 5 + 7
        5 plus 7
        what's 12*12
        calculate fifteen percent of eighty
        what is the square root of one hundred forty four
        seven squared
        what's 3 to the power of 4
        What is 15% of 200?
        add five and seven
        subtract three from ten
        multiply six by nine
        divide one hundred by eight
        what is one hundred minus thirty seven
        how much is ten thousand divided by four
        nine minus twelve
        what does six times seven equal
        what is half of ten
        5+7=?
        what's two plus two
        can you calculate 25 times 4
        please compute 12 / 7
        1,000 + 250
        what is three point five times two
        what is negative five plus three
        what is minus eight times two
        what do you get when you multiply 3 and 4
        what is eight multiplied by seven
        what is the product of 5 and 6
        what is the sum of 12 and 30
        tell me what 5 plus 7 is
        how much does 3 plus 4 make
        what's 10 divided by 3
        100 divided by 3
        (2+3)*4
        2 ^ 10
        what is 20 percent off 50
        what is two and a half times four
        what is a third of nine
        what's a quarter of 100
        double 21
        what is the cube root of 27
        five cubed
        square root of 2
        √16
        what's 7 × 8
        10 ÷ 4
        7 x 8
        what is 17 mod 5
        whats 9 plus 10
        what's the square of 12
        9 times 9 please
        what is one million times two
        3 plus 4 times 2
        find the sum of 3 and 4
        what is the difference between 10 and 4
        hey can you tell me how much is eight times nine
        how much is eighty percent of two hundred fifty
        add 3 to 4
        what is 6 x 7?
        what is zero point one plus zero point two
        one third plus one third
        what is five hundred and twelve divided by sixteen
        solve 4 * 5
        what is 5 and 3
    """,
    "convert": """
        convert ten miles to kilometers
        how many feet are in a meter
        what is seventy degrees fahrenheit in celsius
        convert 5 kg to pounds
        how many kilometers is 5 miles
        10 km in miles
        how many ounces in a pound
        how many inches in a foot
        100 fahrenheit to celsius
        what's 20 celsius in fahrenheit
        How many seconds are in an hour?
        how many minutes are there in a day
        convert 2.5 liters to gallons
        how many cups are in a gallon
        how many megabytes in a gigabyte
        60 mph in km/h
        convert 100 kilometers per hour to miles per hour
        how much is 10 pounds in kilograms
        30 °C to °F
        98.6°F in celsius
        what is 6 feet in centimeters
        convert seventy two degrees fahrenheit to celsius
        how long is a mile in kilometers
        5 feet in meters
        change 10 inches to centimeters
        how many grams are in an ounce
        what is half a mile in meters
        convert minus forty celsius to fahrenheit
        how many days are in three weeks
        how many hours is 90 minutes
        five miles to kilometers
        convert one hundred pounds into kilograms
        how far is ten kilometers in miles
        how hot is 100 degrees fahrenheit in celsius
        how many meters are there in two and a half kilometers
        convert 3 tablespoons to teaspoons
        what is 180 pounds in stone
        turn 50 liters into gallons
        1 gb in mb
        how many bits are in a byte
        how much is 1 mile in km
        how many teaspoons are there in a tablespoon
        Please convert 12 oz to g
        in kilometers how much is ten miles
        how many centimeters are in 5 feet 6 inches
        what is 10 miles in km?
        how many pounds is 80 kilos
        how many liters in 2 gallons
        what's five feet in meters
        how much does 5 kilograms weigh in pounds
    """,
    "timer_set": """
        set a timer for five minutes
        set a timer for one hour and thirty minutes
        set a 5 minute timer
        remind me in ten minutes
        start a timer for 30 seconds
        set timer 10 minutes
        timer 5 minutes
        5 minute timer
        create a timer for two hours
        set a ten second timer
        can you set a timer for 3 minutes please
        set a pasta timer for eight minutes
        set a timer for 10 minutes called tea
        wake me up in twenty minutes
        set a timer for an hour and a half
        set a timer for half an hour
        set a timer for 90 seconds
        please set a timer for ten seconds
        start a countdown of 5 minutes
        set an alarm for 20 minutes
        i need a timer for 10 minutes
        set a second timer for 2 minutes
        start a five minute timer
        set the timer for 5 minutes
        set a timer for a minute
        set a timer for ten minutes and thirty seconds
        remind me in an hour to call mom
        remind me to call mom in an hour
        set a 1h30m timer
        set a 10-minute timer
        in five minutes remind me to check the oven
        set another timer for 5 minutes
        set an egg timer for 6 minutes
        set a timer for two and a half minutes
        give me a timer of 5 minutes
        put a timer on for 10 minutes
        timer for 10 minutes
        set a timer for 45 secs
        alert me in 5 minutes
        let me know in 5 minutes
        tell me when five minutes are up
        set a five-minute timer for the eggs
        set a timer for one minute named coffee
        could you start a timer for fifteen minutes
        set a twenty five minute timer
        start timer for a quarter of an hour
    """,
    "timer_left": """
        how much time is left
        how much time is left on the timer
        how long is left
        how many minutes are left
        how much longer
        check the timer
        how much time do i have left
        how much time is left on the pasta timer
        what timers are running
        when does the timer go off
        how much time is remaining
        timer status
        what's left on the timer
        how much time left on my timer
        how long until the timer goes off
        is my timer done
        do i have any timers
        list my timers
        time left
        how many timers do i have
        what is the time left
    """,
    "timer_cancel": """
        cancel the timer
        stop the timer
        cancel timer
        cancel my timer
        delete the timer
        cancel the pasta timer
        turn off the timer
        stop my timer please
        please cancel the timer
        kill the timer
        clear the timer
        end the timer
        cancel the five minute timer
        turn the timer off
        can you cancel the timer
    """,
    "timer_cancel_all": """
        cancel all timers
        stop all my timers
        delete all timers
        cancel the timers
        clear all timers
        cancel all of my timers
        cancel every timer
    """,
    "remember": """
        remember that my keys are in the kitchen
        Remember my birthday is in May
        please remember that the door code is blue
        can you remember that i parked on level three
        remember the wifi password is banana
        make a note that the milk is empty
        don't forget that mom is coming on friday
        note that the meeting is at three
        take a note: buy milk
        keep in mind that i am allergic to nuts
        remember i like coffee
        remember, my name is Anna
        I want you to remember that the gate is open
        remember that john owes me ten dollars
        remember that time flies
    """,
    "recall": """
        where are my keys
        what is my name
        what's my favorite color
        when is my appointment
        who is my doctor
        what did i tell you about the keys
        where's my car
        do you remember where my keys are
        where is my car parked
    """,
    "recall_all": """
        what did i tell you
        what do you remember
        what did i ask you to remember
        what have i told you
        what did i tell you to remember
        what do you know about me
        tell me what you remember
        do you remember anything
        what did i say to remember
    """,
    "forget_all": """
        forget everything
        forget everything i told you
        clear your memory
        delete everything
        please forget everything
        forget it all
        erase your memory
        forget all
    """,
    "repeat": """
        repeat after me hello world
        say hello world
        repeat after me: the quick brown fox
        please repeat after me good morning everyone
        say i love you
        repeat the words red green blue
    """,
    "repeat_last": """
        what did i just say
        what did i say
        tell me what i just said
        repeat what i said
        what have i just said
        can you repeat what i said
        what was the last thing i said
        did you hear what i said
    """,
    "sound_check": """
        sound check
        can you hear me
        mic check
        testing one two three
        this is a sound check
        sound check one two three
        microphone test
        do you hear me
        test
        audio check
        testing testing
        sound test
        hello can you hear me
    """,
    "help": """
        what can you do
        help
        help me
        what can i ask you
        what are your skills
        how can you help me
        what can you help me with
        what do you do
        what else can you do
        what are you capable of
        how do you work
        what can i say
        list your commands
    """,
    "hello": """
        hello
        hi
        hey
        hello there
        hi there
        hey there
        greetings
        howdy
        Hello!
        hi voice
        hello again
    """,
    "good_morning": """
        good morning
        Good morning!
        good morning to you
    """,
    "good_evening": """
        good evening
    """,
    "good_night": """
        good night
    """,
    "how_are_you": """
        how are you
        how are you doing
        how are you today
        hello how are you
        hey how are you doing today
        how do you do
        how's it going
        what's up
        how are things
        hi, how are you?
        are you okay
        how have you been
        good morning how are you
        how you doing
    """,
    "thanks": """
        thank you
        thanks
        thanks a lot
        thank you very much
        thank you so much
        that's great thanks
        many thanks
        ok thanks
        great thank you
        thanks for your help
    """,
    "goodbye": """
        goodbye
        bye
        bye bye
        see you later
        good bye
        see you
        that is all
        farewell
        talk to you later
        have a nice day
        thanks bye
    """,
    "who_are_you": """
        who are you
        what are you
        tell me about yourself
        introduce yourself
        who am i talking to
        who are you exactly
    """,
    "name": """
        what is your name
        what's your name
        do you have a name
        tell me your name
        how should i call you
        may i know your name
        what should i call you
    """,
    "robot": """
        are you a robot
        are you human
        are you a real person
        are you a machine
        are you an ai
        are you real
        am i talking to a robot
        are you a computer
    """,
    "korean": """
        can you speak korean
        do you speak korean
        do you understand korean
    """,
    "month": """
        what month is it
    """,
    "year": """
        what year is it
        which year are we in
    """,
    "tomorrow": """
        what day is tomorrow
        what is tomorrow's date
        what day is it tomorrow
    """,
}
NOTHING = """
    what is the capital of france
    mister john dashwood had then leisure to consider
    what is love
    who is the president of the united states
    how many people live in london
    set the table for two
    it is a truth universally acknowledged
    tell me a joke
    what is the weather today
    play some music
    how far is the moon
    what is five
    five
    go forward ten meters
    when did the war end
    what time is it in london
    how old is the earth
    ten minutes
    the square root of evil
    i have two times
    open the door
    what is the time of the next train
    how many miles to the moon
    he took the second turn and sat for an hour
    add milk to the shopping list
    what is a mile
    convert to christianity
    how do i convert
    one two three
    turn off the lights
    cancel my subscription
    how many days until christmas
    i remember that day
    divide and conquer
    good grief
    the timer
    when is easter
    what is the meaning of life
"""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(("skill", "text"), [(skill, line) for skill, said in SAID.items() for line in lines(said)])
def test_what_people_say(skill: str, text: str) -> None:
    found = match(text)
    assert found is not None and found.skill == skill


@pytest.mark.parametrize("text", lines(NOTHING))
def test_what_is_no_command(text: str) -> None:
    assert match(text) is None


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("set a Pasta timer for an hour and a half", {"label": "Pasta", "duration": Fraction(5400)}),
        ("remind me in ten minutes to call Mom!", {"duration": Fraction(600), "task": "call Mom"}),
        ("remind me to call Mom in ten minutes", {"duration": Fraction(600), "task": "call Mom"}),
        ("Please remember that My Keys are in the kitchen.", {"fact": "My Keys are in the kitchen"}),
        ("could you please repeat after me: Hello, World", {"what": "Hello, World"}),
        ("cancel the egg timer please", {"label": "egg"}),
        ("remember to feed the cat", {"todo": "feed the cat"}),
        ("what time is it", {}),
    ],
)
def test_slots(text: str, slots: dict[str, object]) -> None:
    found = match(text)
    assert found is not None and dict(found.slots) == slots


def test_slots_of_sums_and_units() -> None:
    found = match("what's seven times eight, please?")
    assert found == Intent("arithmetic", {"sum": Sum("times", (Sum("", (), Fraction(7)), Sum("", (), Fraction(8))))})
    found = match("how many feet are there in two meters")
    assert found is not None
    source, target = found.slots["from"], found.slots["to"]
    assert isinstance(source, Unit) and isinstance(target, Unit)
    assert (found.slots["n"], source.many, target.many) == (2, "meters", "feet")


def test_units_of_two_kinds_are_no_conversion() -> None:
    assert match("how many miles are in an hour") is None
    assert match("convert ten pounds to liters") is None


def test_every_template_can_be_read() -> None:
    assert len(skills.table().skills) > 40
    assert all(skill.say or skill.typed for skill in skills.table().skills)


@pytest.mark.parametrize("n", [1, 12, 40, 100, 1999, 100_000])
def test_words_without_end_are_no_command(n: int) -> None:
    for word in ("a ", "set ", "what is ", "minus ", "(", "five ", "please ", "and a half ", "\u202e", "\U0001f600", "9", "plus "):
        assert match(word * n) is None or n < 100
