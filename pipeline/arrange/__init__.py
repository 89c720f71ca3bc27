"""Arrange: where every part, the support and the cameras of a scene stand. `arrange.arrange` is the way in."""
