"""CAD files and meshes to Part records: geometry, B-rep faces, units, resting poses, symmetries. No bpy here."""
