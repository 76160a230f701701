"""What the scheduler does with workers that never come to work."""

import os
from pathlib import Path

import pytest

from data.errors import InputError
from study.execution.worker_pool import Scheduler
from study.store.folders import Store


@pytest.mark.slow
def test_a_worker_that_never_starts_is_told_at_its_third_death(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    scheduler = Scheduler(Store(tmp_path), [core], job="no.such.module")
    events = []
    with pytest.raises(InputError, match=rf"(?s)3 deaths.*exit code 1.*worker-{core}\.log"):
        for event in scheduler.events():
            events.append(event)
    assert [(event["event"], event["run"]) for event in events] == [("died", None)] * 2
    assert "No module named" in (tmp_path / f"worker-{core}.log").read_text()
