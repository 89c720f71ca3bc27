"""Glint: synthetic photographs of metal parts in which every reflection is labelled.

Importing this package imports none of its rooms. `docs/architecture.md` says what each room holds and in which
direction data walks through them.
"""

__version__ = "0.1.0"
