"""Rigs and surroundings as numbers: lamps, rooms and image worlds, calibrated. No Blender here."""
