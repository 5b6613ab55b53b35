"""Why a chat endpoint gave no answer: HTTP statuses, and the ends of streams, as a `ChatError` with one of a dozen codes.

Pure. Each code has a sentence to be spoken (`chat_CODE` in data/answers.toml). What an endpoint itself says is untrusted, and some
repeat the key in it: it goes to the log only, cleaned, and not at all where a key was refused.
"""

import email.utils
import math
import re
from collections.abc import Mapping

from voice.errors import ChatError
from voice.policy.retry import FINAL_CODES, status_worth_retrying
from voice.protocol.chat import Failed, Problem

CODES = frozenset(
    {
        *("unreachable", "untrusted", "hung_up", "connect_timeout", "first_token_timeout", "idle_timeout", "total_timeout"),
        *("key_refused", "no_credit", "unknown_model", "rate_limited", "server_error", "bad_request", "too_long"),
        *("not_a_model", "garbage", "error_frame", "cut_short", "empty_answer", "filtered"),
    }
)
"""All codes that a `ChatError` may have."""
LONGEST_WAIT_S = 86_400.0
"""A `Retry-After` is believed up to here."""
_CREDIT = ("insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached")
_MODEL = ("model_not_found", "invalid_model", "model_not_available", "unknown_model", "deployment_not_found", "deploymentnotfound")
_LENGTH = ("context_length_exceeded", "exceed_context_size_error", "string_above_max_length")
_TOO_LONG = re.compile(r"context (?:length|size|window)|too many tokens|prompt is too long", re.IGNORECASE)
"""How endpoints say it that have no code for it."""
_TOOLS = re.compile(r"\btools?\b|\btool[ _](?:use|choice|calls?|calling)\b|\bfunction[ _]call", re.IGNORECASE)
_LACKS = re.compile(r"support|require|enable|unknown|unrecognized|unexpected|extra|not permitted|not allowed", re.IGNORECASE)
"""Together, how endpoints say that they take no tools: "does not support tools", "requires --enable-auto-tool-choice"."""


def of_status(status: int, headers: Mapping[str, str], problem: Problem, key: str | None) -> ChatError:
    """What an HTTP status other than 200 means."""
    words = {problem.code.lower(), problem.kind.lower()}
    code = _code(status, words, problem)
    told = "" if code == "key_refused" else shown(" ".join(filter(None, (problem.code or problem.kind, problem.message))), key)
    return ChatError(code, f"HTTP {status}" + (f", {told}" if told else ""), _again(status, code, words), status, retry_after_s(headers))


def of_end(failed: Failed, key: str | None) -> ChatError:
    """What the end of a stream means."""
    problem = failed.problem
    told = shown(" ".join(filter(None, (problem.code or problem.kind, problem.message))), key)
    match failed.code:
        case "error_frame":
            # Where gateways have already said 200, they put the status that they mean into the code.
            status = int(problem.code) if re.fullmatch("[45][0-9][0-9]", problem.code) else 0
            words = {problem.code.lower(), problem.kind.lower()}
            code = _code(status, words, problem) if status else _named(words) or "error_frame"
            reason = f"an error instead of more: {told or 'without a word'}"
            return ChatError(code, reason, _again(status, code, words), status or None)
        case "cut_short":
            return ChatError("cut_short", "the stream ended without a finish reason and without [DONE]")
    return ChatError("garbage", "what came is no stream of a chat answer")


def knows_no_tools(problem: Problem) -> bool:
    """Whether an endpoint refuses because it, or its model, cannot call functions: not because of what a function is like."""
    return bool(_TOOLS.search(problem.message) and _LACKS.search(problem.message))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long an endpoint asks to wait: seconds, milliseconds or a date; None if it does not say."""
    for name, unit in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if math.isfinite(seconds) and seconds >= 0:
            return min(seconds, LONGEST_WAIT_S)
    try:
        # Against the answer's own date: our clock may be wrong.
        until, since = (email.utils.parsedate_to_datetime(headers.get(name, "")) for name in ("retry-after", "date"))
        return min(max(0.0, (until - since).total_seconds()), LONGEST_WAIT_S)
    except (ValueError, TypeError):
        return None


def shown(text: str, key: str | None) -> str:
    """Foreign words for a log: one line, not long, and without the key."""
    text = text if key is None else text.replace(key, "[key]")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:200].strip()


def _code(status: int, words: set[str], problem: Problem) -> str:
    if named := _named(words):
        return named
    match status:
        case 401 | 403:
            return "key_refused"
        case 402:
            return "no_credit"
        case 404:
            # A wrong path is answered so too, by a server that then says nothing about a model.
            return "unknown_model" if "model" in f"{problem.message} {problem.param}".lower() else "not_a_model"
        case 413:
            return "too_long"
        case 429:
            return "rate_limited"
        case 407:
            return "unreachable"
        case 408 | 409 | 425:
            return "server_error"
    if status >= 500:
        return "server_error"
    if status < 400 or status in (405, 406, 415):
        return "not_a_model"
    if problem.param.lower() == "model":
        return "unknown_model"
    return "too_long" if _TOO_LONG.search(problem.message) else "bad_request"


def _again(status: int, code: str, words: set[str]) -> bool:
    """Whether the same request may succeed in a moment."""
    return status_worth_retrying(status) and not words & FINAL_CODES and code not in ("no_credit", "unknown_model")


def _named(words: set[str]) -> str:
    """The code for what an endpoint calls its error; "" for names that tell nothing beyond the status."""
    for names, code in ((_CREDIT, "no_credit"), (_MODEL, "unknown_model"), (_LENGTH, "too_long")):
        if words.intersection(names):
            return code
    return "key_refused" if "invalid_api_key" in words else ""
