"""What `etalage gc` keeps and removes; the flow itself is flows/gc.py."""
