"""HTTP: the application (app.py), the BentoML service around it (service.py), and a room for each thing they do; packing/
builds the Bento."""
