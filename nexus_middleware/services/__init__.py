"""What can be used without any middleware: cache, queues, monitor, logs, security."""
