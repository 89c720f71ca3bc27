"""Clips: what is overexposed in their frames, which past frame knows better, and a selector that keeps that frame."""
