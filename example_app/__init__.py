"""An academy, as anybody would write it, behind one line of `nexus_middleware`."""
