"""The page at `/`: plain HTML, CSS and JavaScript modules, each a file beside this one."""
