"""What goes wrong and can be explained: one line that says what, and what to do."""


class Problem(Exception):
    """An anticipated failure; its text is all that the user sees."""
