"""Shader nodes of the frame that relief is drawn in: where a point lies on its face, and how large a pixel is there.

Covers: groove direction, groove coordinates, footprint of a pixel; each is made when it is first asked for, once per
material. Does not cover: the relief (`relief_nodes`). Mesh attributes: `lay`, `lay_axis`, `lay_origin`, `groove`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

from pipeline.render.blender.nodes import Tree
from pipeline.surface.material import ARC_PASS

PIXEL_ANGLE = "pixel_angle"
"""Property of the scene: radians that a pixel of the view's camera spans, 1 / fx."""
STEEPEST = 0.05
"""Smallest foreshortening that footprints are computed with."""


class GrooveFrame:
    """Sockets at the shaded point. Vectors are unit vectors of the world unless said otherwise.

    *path_radius_m*: radius of the cutter's circles where tool marks are arcs, else None.
    """

    def __init__(
        self, tree: Tree, coordinate: Literal["vertex", "rings"] = "vertex", path_radius_m: float | None = None
    ) -> None:
        self.tree, self.coordinate, self.path_radius_m = tree, coordinate, path_radius_m

    @cached_property
    def _geometry(self) -> Any:
        return self.tree.node("NewGeometry")

    @cached_property
    def normal(self) -> Any:
        """Smooth normal of the mesh."""
        return self._geometry.outputs["Normal"]

    @cached_property
    def position(self) -> Any:
        """Point in the part's frame, metres."""
        return self.tree.node("TexCoord").outputs["Object"]

    @cached_property
    def axis(self) -> Any:
        """Axis of a circular lay in the part's frame; zero where the lay is straight."""
        return self.tree.attribute("lay_axis").outputs["Vector"]

    @cached_property
    def around(self) -> Any:
        """cross(axis, p - origin) in the part's frame: along a circular lay, as long as the distance from the axis."""
        arm = self.tree.vector_math("SUBTRACT", self.position, self.tree.attribute("lay_origin").outputs["Vector"])
        return self.tree.vector_math("CROSS_PRODUCT", self.axis, arm)

    @cached_property
    def along(self) -> Any:
        """Groove direction: the straight lay or that around the axis."""
        unit = self.tree.vector_math("NORMALIZE", self.around, (0.0, 0.0, 0.0))
        return self.to_world(self.tree.vector_math("ADD", unit, self.tree.attribute("lay").outputs["Vector"]))

    @cached_property
    def across(self) -> Any:
        """cross(normal, along); for rings, away from the axis."""
        if self.coordinate == "rings":
            outward = self.tree.vector_math("CROSS_PRODUCT", self.around, self.axis)
            return self.to_world(self.tree.vector_math("NORMALIZE", outward, (0.0, 0.0, 0.0)))
        return self.tree.vector_math("CROSS_PRODUCT", self.normal, self.along)

    @cached_property
    def _groove(self) -> Any:
        separate = self.tree.node("SeparateXYZ")
        self.tree.link(self.tree.attribute("groove").outputs["Vector"], separate.inputs[0])
        return separate

    @cached_property
    def radius(self) -> Any:
        """Distance from the axis of a circular lay, metres; zero where the lay is straight."""
        return self.tree.vector_math("LENGTH", self.around, (0.0, 0.0, 0.0)).node.outputs["Value"]

    @cached_property
    def u(self) -> Any:
        """Metres across the lay."""
        return self.radius if self.coordinate == "rings" else self._groove.outputs["X"]

    @cached_property
    def angle(self) -> Any:
        """Angle about the axis of a circular lay from some direction of the part, radians; zero on a straight lay."""
        tree = self.tree
        first = tree.vector_math(
            "NORMALIZE", tree.vector_math("CROSS_PRODUCT", self.axis, (0.36, 0.48, 0.8)), (0, 0, 0)
        )
        second = tree.vector_math("CROSS_PRODUCT", self.axis, first)
        return tree.math("ARCTAN2", self.dot(self.around, second), self.dot(self.around, first))

    @cached_property
    def v(self) -> Any:
        """Metres along the lay; on a circular lay the arc from where `angle` is zero."""
        arc = self.tree.math("MULTIPLY", self.angle, self.radius)
        return arc if self.coordinate == "rings" else self.tree.math("ADD", arc, self._groove.outputs["Y"])

    @cached_property
    def straight_v(self) -> Any:
        """Metres along a straight lay; zero on a circular one."""
        return 0.0 if self.coordinate == "rings" else self._groove.outputs["Y"]

    @cached_property
    def in_pass(self) -> Any:
        """v folded into passes of the cutter, over the path's radius: sine of the angle between its arc and the lay."""
        radius = abs(self.path_radius_m or 1.0)
        lanes = self.tree.math("MULTIPLY_ADD", self.v, 1.0 / (ARC_PASS * radius), 0.5)
        return self.tree.math("MULTIPLY", self.tree.math("SUBTRACT", self.tree.math("FRACT", lanes), 0.5), ARC_PASS)

    @cached_property
    def drop(self) -> Any:
        """sqrt(1 - in_pass^2): cosine of the same angle."""
        negative = self.tree.math("MULTIPLY", self.in_pass, -1.0)
        return self.tree.math("SQRT", self.tree.math("MULTIPLY_ADD", self.in_pass, negative, 1.0))

    def cutter_path(self, radius_m: float) -> Any:
        """Metres across circles of the cutter of *radius_m* (negative: marks of its back): u - R sqrt(1 - w^2)."""
        return self.tree.math("MULTIPLY_ADD", self.drop, -radius_m, self.u)

    @cached_property
    def lobe_across(self) -> Any:
        """Direction of the steepest slopes: across the lay, turned with the cutter's circles where there are some."""
        if self.path_radius_m is None:
            return self.across
        aside = self.scaled(self.along, self.in_pass)
        return self.tree.vector_math("ADD", self.scaled(self.across, self.drop), aside)

    @cached_property
    def lobe_along(self) -> Any:
        """Direction of the grooves themselves, at right angles to `lobe_across`."""
        if self.path_radius_m is None:
            return self.along
        aside = self.scaled(self.across, self.in_pass)
        return self.tree.vector_math("SUBTRACT", self.scaled(self.along, self.drop), aside)

    @cached_property
    def footprint(self) -> Any:
        """Width of a pixel at the point's distance from the camera, metres, for a surface that faces it."""
        angle = self.tree.node("Attribute", attribute_type="VIEW_LAYER", attribute_name=PIXEL_ANGLE)
        distance = self.tree.node("CameraData").outputs["View Distance"]
        scalar = next(s for s in angle.outputs if s.name in {"Fac", "Factor"})  # renamed in the 5.x line
        return self.tree.math("MULTIPLY", distance, scalar)

    @cached_property
    def pixel_across(self) -> Any:
        """What a pixel covers across the lay, metres: footprint / sqrt(1 - (across . view)^2)."""
        cosine = self.dot(self.lobe_across, self._geometry.outputs["Incoming"])
        square = self.tree.math("MULTIPLY_ADD", cosine, self.tree.math("MULTIPLY", cosine, -1.0), 1.0)
        share = self.tree.math("SQRT", self.tree.math("MAXIMUM", square, STEEPEST**2))
        return self.tree.math("DIVIDE", self.footprint, share)

    @cached_property
    def pixel_longest(self) -> Any:
        """What a pixel covers in the direction in which it covers most, metres: footprint / (normal . view)."""
        cosine = self.dot(self.normal, self._geometry.outputs["Incoming"])
        return self.tree.math("DIVIDE", self.footprint, self.tree.math("MAXIMUM", cosine, STEEPEST))

    @cached_property
    def seen_sharply(self) -> Any:
        """1 for rays from the camera and from mirrors, 0 for those that left a diffuse surface."""
        return self.tree.math("SUBTRACT", 1.0, self.tree.node("LightPath").outputs["Is Diffuse Ray"])

    def band(self, short_m: float, long_m: float) -> Any:
        """A place in noise drawn out along the lay: a cell is *short_m* across and *long_m* along it.

        Closed around a circular lay: there the place runs along the axis with u, and around it on the circle itself.
        """
        tree, circle = self.tree, self.scaled(self.around, 1.0 / long_m)
        length = tree.vector_math("LENGTH", self.axis, (0.0, 0.0, 0.0)).node.outputs["Value"]
        ahead = tree.node("CombineXYZ")
        tree.link(tree.math("SUBTRACT", 1.0, length), ahead.inputs["X"])
        across = self.scaled(tree.vector_math("ADD", self.axis, ahead.outputs[0]), tree.math("DIVIDE", self.u, short_m))
        place = tree.vector_math("ADD", across, circle)
        if self.coordinate == "rings":
            return place
        beside = tree.node("CombineXYZ")
        tree.link(tree.math("DIVIDE", self.straight_v, long_m), beside.inputs["Y"])
        return tree.vector_math("ADD", place, beside.outputs[0])

    def dot(self, first: Any, second: Any) -> Any:
        """Scalar product of two vectors."""
        return self.tree.vector_math("DOT_PRODUCT", first, second).node.outputs["Value"]

    def scaled(self, vector: Any, factor: Any) -> Any:
        """*vector* times the scalar *factor*."""
        output = self.tree.vector_math("SCALE", vector, (0.0, 0.0, 0.0))
        self.tree.feed(factor, output.node.inputs["Scale"])
        return output

    def to_world(self, vector: Any) -> Any:
        """A vector of the part's frame in the world's."""
        node = self.tree.node("VectorTransform", vector_type="VECTOR", convert_from="OBJECT", convert_to="WORLD")
        self.tree.link(vector, node.inputs[0])
        return node.outputs[0]
