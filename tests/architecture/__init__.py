"""The picture of ``docs/architecture.md``, drawn from the code."""
