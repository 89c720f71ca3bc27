"""How the parts of this folder are drawn: one module per way of making, all lengths in millimetres.

Needs cadquery, which Glint itself does not; see `make_parts.py`.
"""
