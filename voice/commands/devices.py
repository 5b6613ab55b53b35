"""`voice devices`: what `--input` and `--output` can name."""

import argparse
import json

from voice.printing import printable, table

TYPE_CHECKING = False

if TYPE_CHECKING:
    from voice.devices.portaudio import Device


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = commands.add_parser("devices", help="list microphones and loudspeakers", description=run.__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List the microphones and loudspeakers that PortAudio sees; * is the default."""
    from voice.devices.portaudio import devices
    from voice.errors import MissingError

    found = devices()
    if options.json:
        for device in found:
            print(json.dumps(_object(device), ensure_ascii=False))
    else:
        print("\n".join(lines(found)))
    if not found:
        raise MissingError("no sound device: plug one in, or run `voice serve` and talk in a browser")
    return 0


def _object(device: "Device") -> dict[str, object]:
    return {
        "event": "device",
        "index": device.index,
        "name": device.name,
        "host_api": device.host_api,
        "inputs": device.inputs,
        "outputs": device.outputs,
        "rate_hz": device.rate_hz,
        "default_input": device.default_input,
        "default_output": device.default_output,
    }


def lines(found: "tuple[Device, ...]") -> list[str]:
    """Microphones, then loudspeakers, each with its number; a device may be both."""
    shown: list[str] = []
    for title, channels, default in (("microphones", "inputs", "default_input"), ("loudspeakers", "outputs", "default_output")):
        rows = [
            [
                f"{'*' if getattr(device, default) else ' '} {device.index}",
                printable(device.name),
                device.host_api,
                f"{getattr(device, channels)} channel{'' if getattr(device, channels) == 1 else 's'}",
                f"{device.rate_hz} Hz",
            ]
            for device in found
            if getattr(device, channels)
        ]
        shown += [title, *(f"  {line}" for line in table(rows))] if rows else [f"{title}: none"]
    return shown
