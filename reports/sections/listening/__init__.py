"""The section on the answers of listeners."""
