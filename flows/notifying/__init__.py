"""Who is told what a run came to."""
