"""Fixtures for all tests, and VOICE_TEST_ALL=1: whatever cannot run has failed."""

import os
from collections.abc import Generator
from typing import Any

import pytest

from tests.support.needs import flite_wav, human_wavs

__all__ = ["flite_wav", "human_wavs"]

TEST_ALL = os.environ.get("VOICE_TEST_ALL") == "1"


def _no_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """A skip becomes a failure with the skip's reason (an expected failure is no skip)."""
    if TEST_ALL and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"VOICE_TEST_ALL=1 leaves nothing out. {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    _no_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    report = yield
    _no_skip(report)
    return report
