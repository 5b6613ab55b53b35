"""Shared traces of the playback buffer: what is done to it, and what it must give, for Python and for web/jitter.js.

    python -m tests.support.jitter_trace        writes fixtures/traces/jitter-*.jsonl anew, from the Python buffer

The first line has the rate and the settings; each further line is an operation, with what came of it. Sound is noise of full scale from
a congruential generator (`seed`), a constant (`level`), or like speech (`from`: its
first sample); what was taken is told by its CRC-32 as little-endian 16-bit samples.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.support.arriving import ARRIVALS, Reply, recorded
from voice.audio.jitter import JitterBuffer
from voice.audio.pcm import Samples, to_bytes
from voice.audio.tuning import JitterSettings, LeadSettings

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures"
Op = dict[str, Any]


def noise(count: int, seed: int) -> Samples:
    """Noise of full scale."""
    values, state = np.empty(count, np.int16), seed
    for index in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[index] = (state >> 16) - 32768
    return values


def spoken(count: int, at: int, rate_hz: int) -> Samples:
    """Like speech, from its sample `at` on: a second of buzz that swells and falls, 200 ms of pause, and so on."""
    places = np.arange(at, at + count)
    times_ms = places * 1000 // rate_hz
    period = rate_hz // 130 + times_ms // 400 % 3
    buzz = (places % period * 2000 // period - 1000) * (2 + times_ms % 250 // 50)
    hiss = (places * 7919 + places // 13 * 104_729) % 257 - 128
    return np.where(times_ms % 1200 < 1000, buzz + hiss, hiss // 32).astype(np.int16)


def sound(op: Op, rate_hz: int) -> Samples:
    """What an operation puts."""
    if "from" in op:
        return spoken(op["count"], op["from"], rate_hz)
    return noise(op["count"], op["seed"]) if "seed" in op else np.full(op["count"], op["level"], np.int16)


def run(head: Op, ops: Iterable[Op]) -> Iterator[Op]:
    """Each operation with what came of it now, whatever the trace says."""
    buffer = JitterBuffer(head["rate_hz"], JitterSettings(**head["settings"], lead=LeadSettings(**head.get("lead", {}))))
    for op in ops:
        yield {**op, **_done(buffer, op)}


def _done(buffer: JitterBuffer, op: Op) -> Op:
    match op["op"]:
        case "put":
            buffer.put(op["item"], sound(op, buffer.rate_hz), op["now_us"])
        case "end":
            buffer.end(op["item"])
        case "hold":
            buffer.hold()
        case "release":
            buffer.release()
        case "latency":
            buffer.latency_samples = op["samples"]
        case "take":
            taken = [buffer.take(op["count"], op["now_us"] + index * op["every_us"]) for index in range(op["times"])]
            position = buffer.position()
            found = {
                "crc32": zlib.crc32(b"".join(map(to_bytes, taken))),
                "position": list(position) if position else None,
                "idle": buffer.idle,
            }
            return {**found, "stats": asdict(buffer.stats)}
        case "flush":
            heard = buffer.flush()
            return {"heard": json.loads(json.dumps(asdict(heard))) if heard else None}
        case "heard":
            return {"ms": buffer.heard(op["item"])}
        case other:
            raise ValueError(f"no operation {other!r}")
    return {}


def played(replies: list[Reply], rate_hz: int = 24_000, take: int = 480) -> Iterator[Op]:
    """The operations of a device that plays these replies, one after the other."""
    every_us = take * 1_000_000 // rate_hz
    put = 0
    for number, reply in enumerate(replies):
        item, now_us = f"item-{number}", reply[0].came_us
        total_ms = sum(delta.length_ms for delta in reply)
        for index, delta in enumerate(reply):
            if times := (delta.came_us - now_us) // every_us:
                yield _taking(now_us, take, times, every_us)
                now_us += times * every_us
            count = delta.length_ms * rate_hz // 1000
            yield {"op": "put", "item": item, "count": count, "from": put, "now_us": delta.came_us}
            put += count
            if index == len(reply) - 1:
                yield {"op": "end", "item": item}
        yield _taking(now_us, take, total_ms * 1000 // every_us + 100, every_us)
        yield {"op": "heard", "item": item}


def _taking(now_us: int, count: int, times: int, every_us: int) -> Op:
    return {"op": "take", "now_us": now_us, "count": count, "times": times, "every_us": every_us}


def wild(seed: int, steps: int, rate_hz: int) -> Iterator[Op]:
    """Anything in any order: stalls, stops, second replies behind first ones, takes of odd lengths, sounds of a few samples."""
    random = Random(seed)

    def below(limit: int) -> int:
        return int(random.random() * limit)

    now_us, item, said = 5_000_000, 0, 0
    for step in range(steps):
        what = below(22)
        name = f"item-{item}"
        if what < 8:
            length = below(30) + 1 if below(6) == 0 else below(rate_hz // 5) + 1
            kind = ({"level": below(65536) - 32768}, {"seed": step}, {"from": said})[below(3)]
            said += length if "from" in kind else 0
            yield {"op": "put", "item": name, "count": length, **kind, "now_us": now_us}
        elif what < 16:
            count = (1, 128, 240, 441, 960)[below(5)]
            every_us = count * 1_000_000 // rate_hz
            times = below(12) + 1
            yield _taking(now_us, count, times, every_us)
            now_us += times * every_us + below(2000)
        elif what < 18:
            yield {"op": "end", "item": name}
            item += 1
        elif what == 18:
            item += below(2)
            yield {"op": "heard", "item": f"item-{below(item + 1)}"}
        elif what > 19:
            yield {"op": "release" if below(4) else "hold"}
        elif below(2):
            yield {"op": "flush"}
            item += 1
        else:
            yield {"op": "latency", "samples": below(rate_hz // 4)}


def _from(name: str, first: int, last: int) -> list[Reply]:
    return recorded(ARRIVALS / f"{name}.csv")[first:last]


TRACES: dict[str, Callable[[], tuple[Op, Iterable[Op]]]] = {
    "jitter-wifirt": lambda: ({"rate_hz": 24_000, "settings": {}}, played(_from("wifirt", 0, 3))),
    "jitter-stalls": lambda: ({"rate_hz": 24_000, "settings": {}}, played(_from("llmstall", 0, 4), take=512)),
    "jitter-slow-48k": lambda: ({"rate_hz": 48_000, "settings": {}}, played(_from("slow1", 2, 3), 48_000, take=128 * 9)),
    "jitter-wild-24k": lambda: ({"rate_hz": 24_000, "settings": {}}, wild(1, 500, 24_000)),
    "jitter-wild-16k": lambda: (
        {"rate_hz": 16_000, "settings": {"learn_ms": 50, "resume_ms": 40, "fade_ms": 7, "flush_ms": 3, "quantile_percent": 60}},
        wild(2, 500, 16_000),
    ),
    "jitter-wild-44k": lambda: (
        {
            "rate_hz": 44_100,
            "settings": {"learn_ms": 20, "most_wait_ms": 90, "ahead_percent": 300},
            "lead": {"look_ms": 3, "pause_most_ms": 40, "pause_below_ms": 900, "stretch_below_ms": 700},
        },
        wild(3, 500, 44_100),
    ),
}


def text_of(name: str) -> str:
    """A trace as it is to be committed."""
    head, ops = TRACES[name]()
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in (head, *run(head, ops)))


def main() -> None:
    """Writes all of them."""
    for name in TRACES:
        (FIXTURES / "traces" / f"{name}.jsonl").write_text(text_of(name), "utf-8")


if __name__ == "__main__":
    main()
