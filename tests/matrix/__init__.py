"""Unchanged apps of many frameworks under many servers, as real processes on real sockets: `make matrix`."""
