"""Metals, finishes and looks as numbers: what every CAD face is made of and how it was made. No Blender here."""
