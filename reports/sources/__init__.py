"""What a report reads: a study's results, numbers as people read them, and the cache of what
was drawn before.
"""
