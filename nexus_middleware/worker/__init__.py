"""The process that runs the jobs: a supervisor that keeps the time, and children that do the work."""
