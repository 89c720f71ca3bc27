"""Truth: masks, boxes, poses and visibility of part instances. `instances.instance_rows` is the way in."""
