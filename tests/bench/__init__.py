"""Speed and memory, measured and compared in the same run: ``make bench``."""
