"""Who may do what, who did it, and what becomes of those who go."""
