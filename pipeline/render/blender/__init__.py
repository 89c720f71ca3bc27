"""The render child: the only modules of Glint that import bpy. Run as `python -m pipeline.render.blender`."""
