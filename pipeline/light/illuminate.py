"""Illuminate a scene: rig, surroundings, cameras as reflected things, calibrated together.

Covers: `illuminate`, the way into this room. Does not cover: how single lamps and rooms look (`rigs`, `domes`,
`surroundings`). Calibration: with all rig groups at weight 1 a white Lambertian reflector in the rig's working plane
(`rigs.Receiver`: for most rigs horizontal, at the world's origin) has radiance (Rec.709 luminance) 1 from the rig's
lamps, unoccluded and without bounces. That radiance stands for `RigSpec.illuminance_lux` at that plane. It is what an
analyser before the lens receives, and the illuminance is that behind the lamps' own polarisers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.arrange.arrangement import Arrangement
from pipeline.light.backdrop import Backdrop, backdrop_walls
from pipeline.light.lamps import Illumination, LampMesh, SurroundingMesh
from pipeline.light.photometry import WHITE_IRRADIANCE, irradiance
from pipeline.light.pieces import dimmed, polarised
from pipeline.light.rigs import Rig, build_rig, rig_groups
from pipeline.light.shapes import Mesh
from pipeline.light.sight import View, blocks_a_view, views_of
from pipeline.light.stands import camera_body, table_frame
from pipeline.light.surroundings import build_surroundings, surroundings_groups
from pipeline.spec.scene import SceneSpec, SurroundingsSpec


def light_groups(rig: str, surroundings: SurroundingsSpec) -> tuple[str, ...]:
    """Every light group of a scene with this rig and these surroundings, in the order of `Illumination.groups`.

    Raises InputError for an unknown name.
    """
    return rig_groups(rig) + surroundings_groups(surroundings)


def illuminate(
    scene: SceneSpec, arrangement: Arrangement, image_file: Path | None = None, backdrop: Backdrop | None = None
) -> Illumination:
    """All lamps and surroundings of *scene*, in the world frame, metres, each rig calibrated alone. Deterministic.

    Whatever would stand between a camera and the arrangement has `camera_visible` False; the metal mirrors it all the
    same. *image_file*: where the user's environment image is, *backdrop*: the painted picture behind the parts, if the
    scene has one. Raises InputError for an unknown
    rig or surroundings, for such an image, and for a rig that has no room around these parts.
    """
    views = views_of(arrangement)
    rigs = [build_rig(spec, arrangement, scene.arrangement.kind) for spec in scene.rigs]
    reach = _reach(rigs, views)
    around = build_surroundings(scene.surroundings, reach, image_file)
    lamps, housings = _rig_pieces(rigs, views)
    pieces = [*around.pieces, *_camera_bodies(scene, views)]
    if backdrop is not None:
        pieces += backdrop_walls(backdrop, views, reach[0], around.floor_z)
    frame = None if around.floor_z is None else table_frame(arrangement.supports, around.floor_z)
    if frame is not None:
        pieces.append(frame)
    return Illumination(
        lamps=(*lamps, *(_lamp_out_of_sight(lamp, views) for lamp in around.lamps)),
        surroundings=(*housings, *(_piece_out_of_sight(piece, views) for piece in pieces)),
        world=around.world,
        picture=around.picture,
        groups=tuple(light_groups(rig.name, scene.surroundings) for rig in scene.rigs),
        without_support=tuple(rig.without_support for rig in rigs),
        scales=tuple(rig.scale for rig in rigs),
        analysers=tuple(rig.polarisers.transmission for rig in rigs),
    )


def _camera_bodies(scene: SceneSpec, views: tuple[View, ...]) -> Iterator[SurroundingMesh]:
    """The body of every camera; of the one camera of a clip, only where it is in each frame."""
    for view in views:
        body = camera_body(view)
        yield body if scene.clip is None else replace(body, camera=view.camera_index)


def _rig_pieces(rigs: Sequence[Rig], views: tuple[View, ...]) -> tuple[list[LampMesh], list[SurroundingMesh]]:
    """The calibrated lamps and the housings of all rigs, each marked with its rig."""
    lamps: list[LampMesh] = []
    housings: list[SurroundingMesh] = []
    for number, rig in enumerate(rigs):
        own_lamps, own_housings = _out_of_sight(rig, views)
        for receiver in rig.receivers:
            lit = [lamp for lamp in own_lamps if lamp.camera == receiver.camera]
            factor = WHITE_IRRADIANCE / irradiance(lit, receiver.point, receiver.normal)
            calibrated = [polarised(dimmed(lamp, factor), rig.polarisers.mirrored) for lamp in lit]
            lamps += [replace(lamp, rig=number) for lamp in calibrated]
        housings += [replace(piece, rig=number) for piece in own_housings]
    return lamps, housings


def _reach(rigs: Sequence[Rig], views: tuple[View, ...]) -> tuple[float, float]:
    """Metres from the origin to the farthest part of any rig or the farthest camera, horizontally and upwards."""
    points = [lamp.vertices for rig in rigs for lamp in rig.lamps]
    points += [piece.vertices for rig in rigs for _, piece in rig.housings]
    points += [view.position[None] for view in views]
    everything = np.concatenate(points)
    return float(np.hypot(everything[:, 0], everything[:, 1]).max()), float(np.max(everything[:, 2]))


def _out_of_sight(rig: Rig, views: tuple[View, ...]) -> tuple[list[LampMesh], list[SurroundingMesh]]:
    """The rig's lamps and housings; a lamp and its housing disappear together."""
    hidden = {lamp.light_id for lamp in rig.lamps if _blocks(lamp, views)}
    hidden |= {light_id for light_id, piece in rig.housings if _blocks(piece, views)}
    lamps = [replace(lamp, camera_visible=lamp.light_id not in hidden) for lamp in rig.lamps]
    return lamps, [replace(piece, camera_visible=light_id not in hidden) for light_id, piece in rig.housings]


def _lamp_out_of_sight(lamp: LampMesh, views: tuple[View, ...]) -> LampMesh:
    return replace(lamp, camera_visible=not _blocks(lamp, views))


def _piece_out_of_sight(piece: SurroundingMesh, views: tuple[View, ...]) -> SurroundingMesh:
    return replace(piece, camera_visible=piece.camera_visible and not _blocks(piece, views))


def _blocks(thing: LampMesh | SurroundingMesh, views: tuple[View, ...]) -> bool:
    own = [view for view in views if thing.camera is None or view.camera_index == thing.camera]
    return blocks_a_view(Mesh(thing.vertices, thing.triangles), own)
