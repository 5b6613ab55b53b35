"""A small child for tests of `voice.workers.process`: does what each frame's kind says.

"echo" answers with the same frame and ends the job; "flood" sends many frames; "die" ends the process at once; "stop" hangs
for ever, deaf to everything; "garbage" breaks the framing; "fail" reports an error; "print" is what C code may
do; "who" tells about the process itself; anything else gets no answer.
"""

import os
import signal
import time
from collections.abc import Callable

from voice.workers.process import Frame, child_pipes, read_frames, writer


def answer(frame: Frame, write: Callable[[Frame], None], raw: int) -> None:
    match frame.kind:
        case "echo":
            write(Frame(frame.job, "echoed", frame.data, frame.audio))
            write(Frame(frame.job, "end"))
        case "flood":
            for number in range(frame.data["count"]):
                write(Frame(frame.job, "drop of water", {"number": number}))
            write(Frame(frame.job, "end"))
        case "die":
            os._exit(3)
        case "stop":
            while True:
                time.sleep(60)
        case "garbage":
            os.write(raw, b"\x05\0\0\0\xc1\xc1\xc1\xc1\xc1")
        case "fail":
            write(Frame(frame.job, "error", {"message": "no such voice"}))
        case "print":
            os.write(1, b"C code prints this")
            write(Frame(frame.job, "end"))
        case "who":
            deaf = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            write(Frame(frame.job, "me", {"pid": os.getpid(), "deaf": deaf, "nice": os.nice(0)}))
            write(Frame(frame.job, "end"))


def main() -> None:
    orders, frames = child_pipes()
    write = writer(frames)
    for frame in read_frames(orders):
        answer(frame, write, frames.fileno())


if __name__ == "__main__":
    main()
