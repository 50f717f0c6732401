"""Where state is kept: in this process, or in Redis."""
