"""The two decoders of a recogniser's child: the general English model, and a grammar of sentences. pocketsphinx, and nothing of how it is fed."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pocketsphinx

from voice.workers.network import Network, Paths, network

USUAL_MEAN = "41,-5,-1"
"""Cepstral mean of ordinary speech, for want of a better one."""
_LANGUAGE_WEIGHT = 6.5
"""The acoustic model makes likelihoods differ too much, so probabilities of words are raised to this power, as with the general model (its
`lw`); pocketsphinx does it for a grammar in JSGF, but not in `create_fsg`. With 1 and 3, "what day is it" by telephone ends in "today"."""


def _model(name: str) -> str:
    return str(Path(pocketsphinx.get_model_path(), "en-us", name))


def _forget(decoder: pocketsphinx.Decoder, mean: str) -> None:
    """Set all that a decoder carries over from one utterance to the next: what it took for noise, and the cepstral mean (0.1 ms)."""
    decoder.reinit_feat()
    decoder.set_cmn(mean)


def _words(text: str) -> list[str]:
    """The words of a hypothesis, without fillers ("<sil>", "[NOISE]") and marks of pronunciation ("the(2)")."""
    return [re.sub(r"\(\d+\)$", "", word) for word in text.split() if word[0] not in "<["]


class Search:
    """A decoder with one search, for one utterance at a time."""

    def __init__(self, decoder: pocketsphinx.Decoder) -> None:
        self._decoder = decoder
        self._open = False

    def start(self, mean: str) -> None:
        """Begin, with this cepstral mean; what was open is forgotten."""
        if self._open:
            self._decoder.end_utt()
        _forget(self._decoder, mean)
        self._decoder.start_utt()
        self._open = True

    def feed(self, block: bytes) -> None:
        """Decode 16-bit PCM."""
        if self._open:
            self._decoder.process_raw(block)

    def stop(self) -> tuple[list[str], float]:
        """The words, and the mean probability of each (1.0 where the search tells none)."""
        if not self._open:
            return [], 1.0
        self._open = False
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        if hypothesis is None:
            return [], 1.0
        sure = [segment.prob for segment in self._decoder.seg() if segment.word[0] not in "<["]
        return _words(hypothesis.hypstr), float(np.mean(sure)) if sure else 1.0

    def so_far(self) -> list[str]:
        """The words up to here, of a sentence that may go on. Only looks: what is decoded later comes out the same (a test holds it to that)."""
        hypothesis = self._decoder.hyp() if self._open else None
        return [] if hypothesis is None else _words(hypothesis.hypstr)

    def ending(self, words: Sequence[str]) -> float:
        """How often a sentence ends behind these words, 0..1, as far as the language model can tell from the last two."""
        if not words:
            return 0.0
        model = self._decoder.get_lm("_default")
        return float(self._decoder.get_logmath().exp(model.prob(["</s>", *reversed(words[-2:])])))

    def phones(self, words: Sequence[str]) -> list[list[str]]:
        """How each of the words is pronounced; a word that is not in the dictionary stands for itself."""
        return [(self._decoder.lookup_word(word) or word).split() for word in words]


class Models:
    """What one process needs to hear: made once for each grammar."""

    def __init__(self, grammar: str) -> None:
        self.grammar = grammar
        # First, so that the memory in which the network was made is there for the general model.
        sentences = network(grammar)
        self._sentences = _grammar_decoder(sentences)
        self.paths = Paths(sentences)
        # fwdflat: takes 60-190 ms at the end of a sentence; without it read prose has as many wrong words.
        general = pocketsphinx.Decoder(
            hmm=_model("en-us"), dict=_model("cmudict-en-us.dict"), lm=_model("en-us.lm.bin"), fwdflat=False, loglevel="FATAL"
        )
        self.general = Search(general)
        self.commands = Search(self._sentences)

    def mean(self, audio: bytes) -> str:
        """The cepstral mean of a piece of audio, in the form that `Search.start` takes; ends what `commands` had open."""
        self.commands.stop()
        if not audio:
            return USUAL_MEAN
        self._sentences.activate_search("probe")
        self._sentences.reinit_feat()
        self._sentences.start_utt()
        # As a whole: piece by piece the mean would be one with 5 s of the mean that was set before (of 40 commands at 20 dB the grammar then hears 22, not 31).
        self._sentences.process_raw(audio, no_search=True, full_utt=True)
        mean = str(self._sentences.get_cmn(False))
        self._sentences.end_utt()
        self._sentences.activate_search("sentences")
        return USUAL_MEAN if "nan" in mean else mean  # of digital silence there is none


def _grammar_decoder(sentences: Network) -> pocketsphinx.Decoder:
    """A decoder for the sentences of a grammar, with the pronunciations of its words only."""
    wanted = {"a", *sentences.words}
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "words.dict")
        with open(_model("cmudict-en-us.dict"), encoding="utf-8") as whole:
            small.write_text("".join(line for line in whole if line.split(" ")[0].split("(")[0] in wanted), encoding="utf-8")
        # bestpath: changed none of 20 sentences.
        decoder = pocketsphinx.Decoder(hmm=_model("en-us"), dict=str(small), lm=None, bestpath=False, loglevel="FATAL")
    arcs = [(start, to, max(chance**_LANGUAGE_WEIGHT, 1e-30), *word) for start, to, chance, *word in sentences.arcs]
    decoder.add_fsg("sentences", decoder.create_fsg("sentences", sentences.start, sentences.final, arcs))
    decoder.add_jsgf_string("probe", "#JSGF V1.0;\ngrammar probe;\npublic <word> = a;\n")
    decoder.activate_search("sentences")
    return decoder
