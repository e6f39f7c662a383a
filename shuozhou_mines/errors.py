"""Say no in a sentence that the person in front of the screen can act on."""


class Refused(Exception):
    """Refuse an action; the text is shown to the user as it stands."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotAllowed(Refused):
    """Refuse because this person may not do this to this object."""


class WrongState(Refused):
    """Refuse because the object is no longer in a state from which this step leads on."""


class Incomplete(Refused):
    """Refuse because something that the step needs is missing or contradictory."""
