"""A child process for tests: render a lamp mirrored in a real slab of glass with plain bpy, nothing of the product.

Reads one JSON object from stdin: camera [cam_from_world, fx, width, height], pane (world_from_pane), thickness, index,
lamp (4 corners), radiance, out (EXR).
"""

from __future__ import annotations

import json
import sys

import bpy
import mathutils
import numpy as np


def add(name, vertices, faces, material):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(vertices, [], faces)
    mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def material_of(name, kind, **values):
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    shader = tree.nodes.new(f"ShaderNode{kind}")
    for socket, value in values.items():
        shader.inputs[socket].default_value = value
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(shader.outputs[0], output.inputs["Surface"])
    return material


def main() -> None:
    job = json.load(sys.stdin)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    pose, fx, width, height = job["camera"]
    scene.render.engine, scene.cycles.device = "CYCLES", "CPU"
    scene.cycles.samples, scene.cycles.seed, scene.cycles.use_denoising = 16384, 3, False
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.blur_glossy, scene.cycles.sample_clamp_indirect = 0.0, 0.0
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 1.0
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.use_border = True  # the lamp's images lie in the middle row
    scene.render.border_min_x, scene.render.border_max_x = 0.35, 0.65
    scene.render.border_min_y, scene.render.border_max_y = 0.45, 0.55
    glass = material_of("glass", "BsdfGlass", Roughness=0.0, IOR=job["index"])
    light = material_of("light", "Emission", Strength=job["radiance"])
    h, t = 0.5, job["thickness"]
    corners = [(x, y, z) for z in (0.0, -t) for y in (-h, h) for x in (-h, h)]
    faces = [(0, 1, 3, 2), (6, 7, 5, 4), (4, 5, 1, 0), (2, 3, 7, 6), (0, 2, 6, 4), (5, 7, 3, 1)]
    slab = add("slab", corners, faces, glass)
    slab.matrix_world = mathutils.Matrix(np.array(job["pane"]).reshape(4, 4).tolist())
    add("lamp", job["lamp"], [(0, 1, 2, 3)], light)
    scene.world = bpy.data.worlds.new("black")
    if bpy.app.version < (5, 0):
        scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs[1].default_value = 0.0
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width, data.lens = "HORIZONTAL", 36.0, fx * 36.0 / width
    data.clip_start = 0.001
    scene.camera = bpy.data.objects.new("camera", data)
    scene.collection.objects.link(scene.camera)
    world_from_cv = np.linalg.inv(np.array(pose).reshape(4, 4))
    scene.camera.matrix_world = mathutils.Matrix((world_from_cv @ np.diag([1.0, -1.0, -1.0, 1.0])).tolist())
    image = scene.render.image_settings
    image.file_format, image.color_depth = "OPEN_EXR", "32"
    scene.render.filepath = job["out"]
    bpy.ops.render.render(write_still=True)


main()
