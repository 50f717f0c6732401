"""What goes wrong around an app on a bad day, and what must hold then: `make faults`."""
