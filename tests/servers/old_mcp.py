"""An MCP server of the older protocol in plain Python, without the SDK: `initialize` first, and whoever begins otherwise is hung up on."""

import json
import sys

TOOLS = [{"name": "double", "description": "Twice a number.", "inputSchema": {"type": "object", "properties": {"x": {"type": "number"}}}}]


def answer(method: str, params: dict[str, object]) -> dict[str, object]:
    match method:
        case "initialize":
            return {
                "protocolVersion": params["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "old", "version": "1"},
            }
        case "tools/list":
            return {"tools": TOOLS}
        case "tools/call":
            arguments = params["arguments"]
            assert isinstance(arguments, dict)
            return {"content": [{"type": "text", "text": str(2 * arguments["x"])}], "isError": False}
    sys.exit(f"unknown method {method}")


if __name__ == "__main__":
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            result = answer(message["method"], message.get("params", {}))
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
