"""The gallery of docs/gallery.md: every entry of the tables on the same part. `python -m pipeline.gallery` makes it."""
