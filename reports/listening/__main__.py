"""``python -m reports.listening``."""

from reports.listening.cli import app

app(prog_name="python -m reports.listening")
