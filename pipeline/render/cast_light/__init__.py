"""Cast light: what metal parts throw of the lamps' light onto their neighbourhood. `write.add_cast_light` is the way
in.

Light is traced forward, from the lamps by way of the metal (`photons`), and gathered per view (`gather`). No Blender.
"""
