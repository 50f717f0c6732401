"""Kill what runs jobs, again and again, and count what became of every job."""
