"""Rules tried on an access log: the same decisions as live, by a clock that the log turns."""
