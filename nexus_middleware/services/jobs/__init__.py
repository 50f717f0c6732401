"""What the worker can run: the registry of known jobs, and the handlers of our own."""
