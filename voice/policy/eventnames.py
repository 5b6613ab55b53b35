"""The types of the protocol's events, in both of its forms, so that a slip in a file of faults is found.

Held to `voice/protocol` by its test: this floor's rooms do not import each other both ways.
"""

_ITEM, _HEARD = "conversation.item", "conversation.item.input_audio_transcription"

SERVER = frozenset(
    {
        *("conversation.created", "error", "rate_limits.updated", "session.created", "session.updated"),
        *(f"{_ITEM}.{what}" for what in ("added", "created", "deleted", "done", "retrieved", "truncated")),
        *(f"{_HEARD}.{what}" for what in ("completed", "delta", "failed", "segment")),
        *(f"input_audio_buffer.{what}" for what in ("cleared", "committed", "dtmf_event_received", "speech_started", "speech_stopped")),
        "input_audio_buffer.timeout_triggered",
        *(f"{what}.{how}" for what in ("mcp_list_tools", "response.mcp_call") for how in ("completed", "failed", "in_progress")),
        *(f"output_audio_buffer.{what}" for what in ("cleared", "started", "stopped")),
        *(f"response.{what}" for what in ("created", "done")),
        *(f"response.{what}.{how}" for what in ("content_part", "output_item") for how in ("added", "done")),
        *(
            f"response.{what}.{how}"
            for what in ("function_call_arguments", "mcp_call_arguments", "output_audio", "output_audio_transcript", "output_text")
            for how in ("delta", "done")
        ),
    }
)
OLDER_SERVER = frozenset(
    {
        *(f"response.{what}.{how}" for what in ("audio", "audio_transcript", "text") for how in ("delta", "done")),
        "transcription_session.updated",
    }
)
"""Only in the beta form of the protocol."""
CLIENT = frozenset(
    {
        *(f"{_ITEM}.{what}" for what in ("create", "delete", "retrieve", "truncate")),
        *(f"input_audio_buffer.{what}" for what in ("append", "clear", "commit")),
        "output_audio_buffer.clear",
        *("response.cancel", "response.create", "session.update"),
    }
)
OLDER_CLIENT = frozenset({"transcription_session.update"})
