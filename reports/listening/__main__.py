"""``python -m reports.listening``."""

from study import stopping

stopping.leave_quietly()

from reports.listening.cli import app  # noqa: E402  what it imports takes seconds

app(prog_name="python -m reports.listening")
