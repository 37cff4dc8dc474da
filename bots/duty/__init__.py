"""Who is on duty, and who is called when."""
