"""The layers, and the two doors they are run by."""
