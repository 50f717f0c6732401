"""All that this package raises of its own."""

from __future__ import annotations


class NexusError(Exception):
    """The base of every error of this package."""


class SettingsError(NexusError, ValueError):
    """A setting or option is missing, misspelt or out of range; the message says what was given and what would do."""


class StoreError(NexusError):
    """The store could not be reached in time, or refused; the cause is attached."""


class PayloadError(NexusError, ValueError):
    """A job was given what it does not take; the message names the job and the field."""
