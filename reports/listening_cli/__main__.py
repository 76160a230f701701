"""``python -m reports.listening_cli``."""

from study.command_line import stopping

stopping.leave_quietly()

from reports.listening_cli.commands import app  # noqa: E402  what it imports takes seconds

app(prog_name="python -m reports.listening_cli")
