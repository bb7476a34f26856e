"""HTTP: the application (app.py), the BentoML service around it (service.py) and the build of its Bento (build.py)."""
