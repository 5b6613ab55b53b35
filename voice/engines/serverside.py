"""A responder whose answers may use the tools of this server: their calls are made here, and the client sees only the words.

Round by round: the responder inside is offered the server's tools beside the client's. What it says goes on at once; what it calls of the
server's is run, and the responder is asked again with the outputs behind the conversation, up to `MAX_ROUNDS` times; after that the
server's tools are not offered any more. Where it has called functions of the client's as well, the answer ends there: the client's outputs
make the next one, which is told of the server's too.

    client:  "where is my order?" ------------------------------------> "It is on its way."
    inside:                        call -> tool -> output -> asked again

Whoever interrupts an answer stops its tools. A tool may have done its work all the same, so the next answer is told of the call.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from voice.engines import korean
from voice.engines.base import BrokenOff, Called, Prompt, Responder, Said, Saying
from voice.engines.recalled import Recalled
from voice.engines.toolset import NOBODY, Outcome, ToolContext, Toolset
from voice.protocol.dead_air import WORDS, Filler
from voice.protocol.lines import Call, Line
from voice.protocol.tools import MAX_CALLS, MAX_ROUNDS, Toolbox

MAX_ARGUMENTS = 65_536
"""Letters of one call's arguments. What comes behind them is dropped, and they are no JSON then."""
INTERRUPTED = "(The user interrupted before the result came. What was to be done may be done or not.)"
TOO_MANY = f"(Not done: more than {MAX_CALLS} calls at once.)"
BROKEN = "(Not done: the answer that called it broke off. Call it again if it is still wanted.)"


@dataclass(slots=True)
class _Hidden:
    """A call of one of the server's tools."""

    key: str
    """What the responder calls it by."""
    name: str
    arguments: str = ""

    @property
    def is_json(self) -> bool:
        """Whether the arguments are complete, as far as that can be told; a call without any has an empty object of them."""
        try:
            json.loads(self.arguments or "{}")
        except (ValueError, RecursionError):
            return False
        return True


@dataclass(slots=True)
class _Round:
    """What one question to the responder inside brought."""

    taken: frozenset[str]
    """The names of the server's tools."""
    offered: frozenset[str]
    """Those that may be called this time."""
    hidden: list[_Hidden] = field(default_factory=list)
    words: str = ""
    client_called: bool = False
    broken: BrokenOff | None = None

    def take(self, saying: Saying) -> bool:
        """Look at a piece of the answer; True if it is for the client."""
        match saying:
            case Called() if saying.name in self.taken:
                if saying.name in self.offered:
                    self._call(saying)
                return False
            case Called():
                self.client_called = True
            case Said():
                self.words = f"{self.words} {saying.text}".strip()
            case BrokenOff():
                self.broken = saying
                return False
        return True

    def _call(self, piece: Called) -> None:
        # A call without an id is told in one piece.
        call = next((call for call in self.hidden if piece.call_id and call.key == piece.call_id), None)
        if call is None:
            call = _Hidden(piece.call_id, piece.name)
            self.hidden.append(call)
        call.arguments = (call.arguments + piece.arguments)[: MAX_ARGUMENTS + 1]


USUAL_FILLER = Filler()


class ServerSide:
    """See the top of the file: a `Responder` of one session. `new_id("call")` gives an id that no other call has."""

    def __init__(
        self,
        inside: Responder,
        toolset: Toolset,
        new_id: Callable[[str], str],
        context: ToolContext = NOBODY,
        filler: Filler = USUAL_FILLER,
    ) -> None:
        self._inside = inside
        self._toolset = toolset
        self._new_id = new_id
        self._context = context
        self._filler = filler
        self._recalled = Recalled()

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:
        """See `Responder`."""
        lines, silent, forgiving = self._recalled.woven(prompt.lines), prompt.spoken, True
        for number in range(MAX_ROUNDS + 1):
            toolbox = self._offered(prompt) if number < MAX_ROUNDS else prompt.toolbox
            brought = _Round(self._toolset.names, frozenset(tool.name for tool in toolbox.usable))
            async with aclosing(self._inside.respond(replace(prompt, lines=lines, toolbox=toolbox), now, wall_s)) as answer:
                async for saying in answer:
                    if brought.take(saying):
                        yield saying
            broken = brought.broken
            if broken is not None and not (forgiving and brought.hidden and not broken.reason and not brought.client_called):
                yield broken
                return
            if not brought.hidden:
                return
            # A model whose call breaks off, or whose arguments are no JSON, is told so, once in an answer.
            forgiving = forgiving and broken is None
            silent = silent and not brought.words
            lines += [Line("assistant", brought.words)] if brought.words else []
            async with aclosing(self._work(brought, prompt, lines, silent)) as fillers:
                async for filler in fillers:
                    silent = False
                    yield filler
            if brought.client_called:
                return

    def due_s(self) -> float | None:
        """See `Responder`."""
        return self._inside.due_s()

    def announce(self, now: float) -> Sequence[Said]:
        """See `Responder`."""
        return self._inside.announce(now)

    def _offered(self, prompt: Prompt) -> Toolbox:
        """The server's tools beside the client's. They stand back where the client wants a call of its own functions, and out of band: what is
        asked there (a summary, a title) is no reason to do anything."""
        box = prompt.toolbox
        if box.must or prompt.beside:
            return box
        return Toolbox((*self._toolset.tools, *box.tools), "none" if box.choice == "none" else "auto", None, box.parallel)

    async def _work(self, brought: _Round, prompt: Prompt, lines: list[Line], silent: bool) -> AsyncGenerator[Said, None]:
        """Run the calls, and put them and what came of them behind the lines, also if they are interrupted; what is said meanwhile."""
        tasks = {
            n: self._start(call) for n, call in enumerate(brought.hidden) if n < MAX_CALLS and (brought.broken is None or not call.is_json)
        }
        try:
            if tasks and silent and self._filler.after_s is not None:
                _, pending = await asyncio.wait(tasks.values(), timeout=self._filler.after_s)
                if pending:
                    yield self._filling(prompt)
            if tasks:
                await asyncio.wait(tasks.values())
        finally:
            unseen = self._told(brought.hidden, tasks, BROKEN if brought.broken is not None else TOO_MANY)
            for task in tasks.values():
                task.cancel()
            lines += unseen
            self._recalled.keep(prompt.lines, unseen)

    def _start(self, call: _Hidden) -> asyncio.Task[Outcome]:
        return self._toolset.start(call.name, call.arguments, self._context)

    def _told(self, calls: Sequence[_Hidden], tasks: Mapping[int, asyncio.Task[Outcome]], otherwise: str) -> list[Line]:
        """The calls and their outputs as lines; `otherwise` is the output of those that were not run."""
        called, outputs = [], []
        for n, call in enumerate(calls):
            call_id = self._new_id("call")
            # Endpoints refuse a conversation in which arguments are no JSON.
            called.append(Line("assistant", "", Call(call_id, call.name, call.arguments if call.arguments and call.is_json else "{}")))
            outputs.append(Line("tool", _output(tasks[n]) if n in tasks else otherwise, call_id=call_id))
        return called + outputs

    def _filling(self, prompt: Prompt) -> Said:
        asked = next((line.text for line in reversed(prompt.lines) if line.role == "user"), "")
        language = "ko" if korean.is_korean(asked) else prompt.heard.language.partition("-")[0] if prompt.heard is not None else "en"
        language = language if language in WORDS else "en"
        return Said(self._filler.words or WORDS[language], language)


def _output(task: asyncio.Task[Outcome]) -> str:
    return task.result().output if task.done() and not task.cancelled() else INTERRUPTED
