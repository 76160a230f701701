"""Does a model keep up? The boards, what a model costs on them, and what it takes here."""
