"""A shared HTTP cache's knowledge (RFC 9111 and its companions), without state, clock or I/O."""
