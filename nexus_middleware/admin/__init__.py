"""The mountable dashboard and its JSON API."""
