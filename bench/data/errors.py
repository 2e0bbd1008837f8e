"""The one exception of this package."""


class DataError(RuntimeError):
    """Data that is missing, corrupt or of the wrong shape; the message names it and says what to do about it."""
