"""A node tree under construction: short ways to add, feed and link shader nodes.

Covers: `Tree`. Does not cover: what is built with it (`shaders`, `plain_shader`).
"""

from __future__ import annotations

from typing import Any

import bpy


class Tree:
    """A node tree under construction."""

    def __init__(self, owner: Any) -> None:
        if bpy.app.version < (5, 0):
            owner.use_nodes = True  # 5.x gives every material a tree and deprecates the switch
        self.tree = owner.node_tree
        self.tree.nodes.clear()

    def node(self, kind: str, **settings: Any) -> Any:
        """Add a node of type `ShaderNode<kind>`; keywords set its properties."""
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        for name, value in settings.items():
            setattr(node, name, value)
        return node

    def link(self, source: Any, target: Any) -> None:
        """Connect an output socket to an input socket."""
        self.tree.links.new(source, target)

    def attribute(self, name: str) -> Any:
        """A mesh attribute node."""
        return self.node("Attribute", attribute_name=name)

    def math(self, operation: str, *values: Any) -> Any:
        """Output of a scalar operation on one to three sockets or numbers."""
        return self._operate(self.node("Math", operation=operation), *values)

    def vector_math(self, operation: str, first: Any, second: Any) -> Any:
        """Output of a vector operation on sockets or 3-vectors."""
        return self._operate(self.node("VectorMath", operation=operation), first, second)

    def _operate(self, node: Any, *values: Any) -> Any:
        for socket, value in zip(node.inputs, values, strict=False):
            self.feed(value, socket)
        return node.outputs[0]

    def feed(self, value: Any, socket: Any) -> None:
        """Link *value* when it is a socket, else set it as the socket's own value."""
        if isinstance(value, bpy.types.NodeSocket):
            self.link(value, socket)
        else:
            socket.default_value = value
