"""How far photos are from real photographs, measured against a folder of real ones. Needs no weights."""
