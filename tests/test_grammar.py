"""The recogniser's grammar: one table with the matcher, words of the dictionary, and heard from a synthetic voice."""

import random
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.needs import FliteWav, needs
from voice.engines import grammar
from voice.engines.notes import is_question
from voice.engines.skills import match
from voice.engines.templates import Choice, Node, Row, Rule, Word, parse

SPOKEN = [
    "what time is it",
    "what is seven times eight",
    "convert five miles to kilometers",
    "set a timer for ten seconds",
    "how are you",
    "what day is it today",
    "what is twenty three times seventeen",
    "how many feet are in a meter",
    "what is seventy degrees fahrenheit in celsius",
    "set a timer for one hour and thirty minutes",
    "how much time is left",
    "cancel the timer",
    "what did i tell you",
    "what can you do",
]


def rules() -> dict[str, Node]:
    """The JSGF text, read back: its rules in order, each of which may only name earlier ones."""
    head, name, *_ = text = grammar.jsgf().splitlines()
    assert (head, name) == ("#JSGF V1.0;", "grammar skills;")
    found = dict[str, Node]()
    for line in "\n".join(text[2:]).split(";"):
        if line.strip():
            left, _, body = line.partition("=")
            found[left.strip().removeprefix("public ").strip("<>")] = parse(body, found)
    return found


def sentence(node: Node, chance: random.Random) -> str:
    match node:
        case Word():
            return node.text
        case Rule():
            return sentence(node.node, chance)
        case Choice():
            return sentence(chance.choice(node.parts), chance)
        case Row():
            return " ".join(filter(None, (sentence(part, chance) for part in node.parts)))
    raise AssertionError(node)


def test_what_the_grammar_hears_is_understood() -> None:
    body, chance = rules()["sentence"], random.Random(2)
    assert isinstance(body, Choice)
    for part in body.parts:
        for _ in range(25):
            text = sentence(part, chance)
            assert match(text) is not None, text


def test_courtesies_round_a_sentence_do_not_change_it() -> None:
    found, chance = rules(), random.Random(3)
    for _ in range(400):
        text = sentence(found["command"], chance)
        assert match(text) is not None, text


def test_the_text_is_always_the_same() -> None:
    once = grammar.jsgf()
    grammar.jsgf.cache_clear()
    assert grammar.jsgf() == once
    assert once.count("public ") == 1


def test_every_tail_leads_to_a_skill() -> None:
    assert {"remember that", "repeat after me", "where are my"} <= set(grammar.tails())
    for phrase in grammar.tails():
        text = f"{phrase} blue house is open"
        assert match(text) is not None or is_question(text) or phrase == "sound check", phrase
    assert [len(phrase.split()) for phrase in grammar.tails()] == sorted((len(phrase.split()) for phrase in grammar.tails()), reverse=True)


@needs("pocketsphinx")
def test_every_word_is_in_the_dictionary() -> None:
    from pocketsphinx import get_model_path

    dictionary = Path(get_model_path("en-us"), "cmudict-en-us.dict").read_text("utf-8")
    known = {line.split()[0] for line in dictionary.splitlines() if line}
    assert len(grammar.words()) > 200
    assert grammar.words() <= known
    assert {word for phrase in grammar.tails() for word in phrase.split()} <= known


@pytest.mark.slow
@needs("pocketsphinx", "flite")
def test_synthetic_voices_are_understood(flite_wav: FliteWav, tmp_path: Path) -> None:
    from pocketsphinx import Decoder

    path = tmp_path / "skills.gram"
    path.write_text(grammar.jsgf(), "utf-8")
    decoder = Decoder(jsgf=str(path), loglevel="FATAL")
    missed = []
    for text, voice in zip(SPOKEN, cycle(["slt", "rms"])):  # noqa: B905 - the one has no end
        samples, _ = soundfile.read(flite_wav(text, voice), dtype="int16")
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(np.pad(samples, 3200).tobytes(), full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp().hypstr if decoder.hyp() else ""
        if match(heard) != match(text):
            missed.append((text, heard))
    assert len(missed) <= 1, missed
