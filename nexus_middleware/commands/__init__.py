"""What the command `nexus` can do besides the worker: one module for each subcommand."""
