"""Harden any ASGI or WSGI app for production, one layer at a time or all at once."""
