"""The process around the application: its socket, its threads, its release, how it starts and how it ends."""
