"""Defects of parts: drawn onto faces as rasters, or made by changing the mesh. `apply.apply_defects` is the way in."""
