"""The graph: stages, keys, plans, the driver and where its actions run. The only room that knows all the stages."""
