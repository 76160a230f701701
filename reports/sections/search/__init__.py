"""What a search of settings has tried, and what its best was."""
