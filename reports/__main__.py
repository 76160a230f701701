"""``python -m reports``."""

from study.command_line import stopping

stopping.leave_quietly()

from reports.cli import app  # noqa: E402  what it imports takes seconds

app(prog_name="python -m reports")
