"""What the report tells of models whose controls turn."""
