"""Rendering: a scene's geometry, materials and light become the light bundle.

`job` and `launch` run in the parent and import no Blender; `blender/` is the child process, the only code of Glint
that imports bpy.
"""
