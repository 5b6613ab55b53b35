"""Between a party that speaks a dialect and the protocol of today: text in, text out, no clock, no link.

`ClientInterpreter` stands before a client, `ServerInterpreter` before a server; one object a link. `up` is what goes from the client towards the
server, `down` the other way. `new_id(kind)` names what is told anew ("event", "item", ...). What is no JSON object passes as it is: whoever reads
it will complain in its own words.

What goes to a server of today, or comes from it, is renamed and reshaped. What a server of a dialect says is told anew (`dialect_story.py`), since
the clients of today may rely on their order of events.
"""

from voice.protocol.dialect_client import ClientInterpreter
from voice.protocol.dialect_link import Passage
from voice.protocol.dialect_server import ServerInterpreter

__all__ = ["ClientInterpreter", "Passage", "ServerInterpreter"]
