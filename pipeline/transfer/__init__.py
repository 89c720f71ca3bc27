"""Photos towards real photographs: Stable Diffusion 1.5 img2img whose labels stay true.

torch, diffusers and transformers are imported only in this room, and only by the functions that need them, so that
stores of models, headers of checkpoints, prompts and residuals work without them.
"""
