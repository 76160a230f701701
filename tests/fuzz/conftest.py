"""Divides ``PEDALFRAME_FUZZ_TOTAL_SECONDS``, where that is set, among the fuzzers."""

import os

import pytest

from tests.fuzz.fuzzing import SECONDS

TOTAL = "PEDALFRAME_FUZZ_TOTAL_SECONDS"


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if TOTAL in os.environ and items:
        workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        os.environ[SECONDS] = str(float(os.environ[TOTAL]) * workers / len(items))
