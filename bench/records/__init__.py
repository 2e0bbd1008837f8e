"""Records: what runs leave, on disk and in memory, and what the literature reports."""
