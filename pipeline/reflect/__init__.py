"""Reflect: what parts show, and where lamps glint on them. `reflections` and `highlights` are the ways in."""
