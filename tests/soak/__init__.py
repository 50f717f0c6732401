"""Mixed traffic and faults for minutes, after which nothing may have grown and every count be right: `make soak`."""
