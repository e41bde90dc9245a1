"""What can go wrong while the local stack starts; each is meant to be read by a person."""


class LocalStackError(Exception):
    """The root: its text says what is wrong and, where there is one, the way out."""


class ProgramMissingError(LocalStackError):
    """No usable program of this kind was found on the machine."""


class StartError(LocalStackError):
    """A process ended, or stayed silent, when it should have become ready."""


class AlreadyRunningError(LocalStackError):
    """Another launcher holds the data folder."""


class PortTakenError(LocalStackError):
    """Another program listens on the port that the settings name."""


class NotOursError(LocalStackError):
    """A server that was handed to us by its address; only its owner stops or restarts it."""
