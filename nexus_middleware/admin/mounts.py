"""Where in a path a mounted app begins, whatever the proxies in front and the frameworks around have cut off."""

from __future__ import annotations

from urllib.parse import quote

from ..http import Scope


def local_path(scope: Scope) -> str:
    """Return the path below the mount: what is left of the whole one after the longest end of `root_path` it begins with.

    A proxy may have cut its prefix off the path and still name it in `root_path`; so only the end of that need fit.

    >>> local_path({"path": "/proxy/admin/x", "root_path": "/proxy/admin"})
    '/x'
    >>> local_path({"path": "/admin/x", "root_path": "/proxy/admin"})
    '/x'
    >>> local_path({"path": "/x", "root_path": "/proxy"})
    '/x'
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    while root:
        if path == root or path.startswith(root + "/"):
            return path[len(root) :]
        cut = root.find("/", 1)
        root = root[cut:] if cut > 0 else ""
    return path


def with_slash(scope: Scope) -> str:
    """Return the relative address of the same place with a slash at its end, right behind any proxy.

    >>> with_slash({"path": "/admin/infrastructure"})
    'infrastructure/'
    """
    return quote(scope["path"].rpartition("/")[2], safe="") + "/"
