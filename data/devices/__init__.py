"""What turns a dry signal into a wet one: circuit models that need nothing installed,
LV2 plugins of the system, and a user's own recorded pair.
Every device is a function of dry samples, a sample rate and named controls.
"""
