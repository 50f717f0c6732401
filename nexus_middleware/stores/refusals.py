"""What to do about a server that refuses, for the end of the line that tells of it."""

from __future__ import annotations

from redis.exceptions import MovedError, NoPermissionError

CLUSTER = "; it is one of a cluster: write redis+cluster://host:port,host:port"
RIGHTS = "; the rights that its user needs are in the docs, under Deploy"


def hint(error: Exception) -> str:
    """Return what to do, or "" if that is not known.

    >>> hint(NoPermissionError("this user has no permissions to run the 'get' command"))
    '; the rights that its user needs are in the docs, under Deploy'
    """
    if isinstance(error, MovedError):
        return CLUSTER
    denied = isinstance(error, NoPermissionError) or "The user executing the script can't" in str(error)
    return RIGHTS if denied else ""
