"""Files: what a session leaves for people and programs."""
