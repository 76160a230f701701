"""Other projects' programs, in virtual environments of their own, beside ours."""
