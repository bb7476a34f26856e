"""HTTP: the application (app.py), the BentoML service around it (service.py), a room for each thing that they do.

packing/ builds the Bento.
"""
