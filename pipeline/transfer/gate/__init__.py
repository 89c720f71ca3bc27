"""The gate: does every label of a photo still hold after something changed its pixels? numpy and OpenCV only."""
