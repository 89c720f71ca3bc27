"""Rigid bodies that fall, collide and come to rest: the physics of bins, heaps and stacks.

MuJoCo steps the bodies; every body is a union of convex pieces (`pieces`). One thread, no random numbers: the same
bodies give the same bits on the same platform. Does not cover: where bodies start (`drop`), what they look like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

GRAVITY: Final = 9.81
STEP_S: Final = 0.003
CONTACT_S: Final = 0.006
"""Time constant of a contact, which leaves micrometres of penetration at rest (MuJoCo's solref; at least two steps)."""
FRICTION: Final = (0.35, 0.002, 0.0004)
"""Sliding (dry steel on steel 0.3 to 0.6), torsional and rolling, the last two in metres."""
DRAG_PER_S: Final = 4.0
"""Bodies lose this share of their speed per second: they fall no faster than 2.5 m/s and do not roll for ever."""
REST_SPEED: Final = 0.004
"""Bodies are at rest when their surfaces move slower than this, m/s ..."""
REST_CHECKS: Final = 5
"""... this often in a row, CHECK_STEPS apart."""
CHECK_STEPS: Final = 25
LONGEST_S: Final = 3.0
"""Simulated time after the last has fallen from which bodies that still move (a ball that rolls, a ring that spins, a
heap that creeps) are braked ..."""
BRAKE_PER_S: Final = 60.0
"""... losing this share of their speed per second, ..."""
BRAKED_S: Final = 4.0
"""... for at most this long."""
ITERATIONS: Final = 100
"""Of the conjugate-gradient solver in one step. With 30, heaps of 150 bodies explode; Newton's method, which needs few,
factorises a dense matrix of all touching bodies: 150 brackets took 102 s for 2 s of fall, and take 14 s like this."""
_WALL_M: Final = 0.05


@dataclass(frozen=True, eq=False)
class Body:
    """One rigid body and where it starts."""

    pieces: Sequence[Floats]
    """Points of each convex piece, (k, 3) metres, in the body's own frame."""
    pose: Floats
    """(4, 4) world_from_body."""
    radius: float
    """Of a sphere about the body, metres: turns angular into surface speed."""


@dataclass(frozen=True)
class Box:
    """A fixed box: a floor or a wall. Middle and half sizes in metres."""

    middle: tuple[float, float, float]
    half: tuple[float, float, float]
    turn: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    """Unit quaternion (w, x, y, z) about the middle."""


@dataclass(frozen=True, eq=False)
class Rest:
    """How the bodies came to rest."""

    poses: Floats
    """(n, 4, 4) world_from_body."""
    speed: float
    """Fastest surface speed at the end, m/s."""
    seconds: float
    """Simulated time."""

    @property
    def at_rest(self) -> bool:
        """Whether nothing moves any more."""
        return self.speed < REST_SPEED


def floor() -> Box:
    """A floor whose top is z = 0, without end."""
    return Box((0.0, 0.0, -_WALL_M), (20.0, 20.0, _WALL_M))


def walls(half_x: float, half_y: float, height: float, draft: float = 0.0) -> tuple[Box, ...]:
    """Four walls around [-half_x, half_x] x [-half_y, half_y] from the floor to *height*; *draft* is how far their
    inner faces lean outward per metre of height."""
    angle, top, deep = float(np.arctan(draft)), height / 2.0, _WALL_M
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    # The middle lies half a thickness outward and half a height up along a wall that turns about its inner lower edge.
    out, up = top * sin + deep * cos, top * cos - deep * sin
    wide = draft * height + 2.0 * deep
    half_cos, half_sin = float(np.cos(angle / 2.0)), float(np.sin(angle / 2.0))
    boxes = []
    for side in (-1.0, 1.0):
        turn_x, turn_y = (half_cos, 0.0, side * half_sin, 0.0), (half_cos, -side * half_sin, 0.0, 0.0)
        boxes.append(Box((side * (half_x + out), 0.0, up), (deep, half_y + wide, top), turn_x))
        boxes.append(Box((0.0, side * (half_y + out), up), (half_x + wide, deep, top), turn_y))
    return tuple(boxes)


def settle(bodies: Sequence[Body], fixed: Sequence[Box], longest_s: float = LONGEST_S) -> Rest:
    """Let *bodies* fall among *fixed* boxes until all are at rest.

    What still moves *longest_s* of simulated time after the highest has fallen is braked; where even that brings no
    rest, the result says so.
    """
    import mujoco  # here, because planning and reading need no physics

    model = _model(mujoco, bodies, fixed)
    data = mujoco.MjData(model)
    radii = np.array([body.radius for body in bodies])
    fall_s = max(float(body.pose[2, 3]) for body in bodies) * DRAG_PER_S / GRAVITY
    speed = _run(mujoco, model, data, radii, fall_s + longest_s)
    if speed >= REST_SPEED:
        model.dof_damping[:] *= BRAKE_PER_S / DRAG_PER_S
        speed = _run(mujoco, model, data, radii, BRAKED_S)
    return Rest(_poses(data.qpos.reshape(-1, 7)), speed, float(data.time))


def _run(mujoco: Any, model: Any, data: Any, radii: Floats, longest_s: float) -> float:
    """Step until all bodies are at rest or *longest_s* have passed; the fastest surface speed at the end, m/s."""
    calm, speed, end = 0, float("inf"), data.time + longest_s
    while calm < REST_CHECKS and data.time < end:
        mujoco.mj_step(model, data, CHECK_STEPS)
        velocity = data.qvel.reshape(-1, 6)
        surface = np.linalg.norm(velocity[:, :3], axis=1) + radii * np.linalg.norm(velocity[:, 3:], axis=1)
        speed = float(np.max(surface))
        calm = calm + 1 if speed < REST_SPEED else 0
    return speed if calm >= REST_CHECKS else max(speed, REST_SPEED)


def _model(mujoco: Any, bodies: Sequence[Body], fixed: Sequence[Box]) -> Any:
    """The MuJoCo model: each distinct piece is one mesh, however many bodies have it."""
    spec = mujoco.MjSpec()
    option = spec.option
    option.timestep, option.gravity = STEP_S, [0.0, 0.0, -GRAVITY]
    option.cone, option.impratio = mujoco.mjtCone.mjCONE_ELLIPTIC, 1.0
    option.solver, option.iterations, option.tolerance = mujoco.mjtSolver.mjSOL_CG, ITERATIONS, 1e-6
    # Heaps of bodies that touch no moving one are left alone until something wakes them.
    option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    option.sleep_tolerance = REST_SPEED
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    names: dict[int, str] = {}
    for number, box in enumerate(fixed):
        geom = spec.worldbody.add_geom(name=f"fixed{number}", type=mujoco.mjtGeom.mjGEOM_BOX)
        geom.pos, geom.size, geom.quat = box.middle, box.half, box.turn
        _surface(geom)
    for number, body in enumerate(bodies):
        _add_body(mujoco, spec, body, f"body{number}", names)
    model = spec.compile()
    masses = np.repeat(model.body_mass[1:], 3).reshape(-1, 3)
    model.dof_damping[:] = DRAG_PER_S * np.hstack([masses, model.body_inertia[1:]]).ravel()
    return model


def _add_body(mujoco: Any, spec: Any, body: Body, name: str, names: dict[int, str]) -> None:
    made = spec.worldbody.add_body(name=name, pos=body.pose[:3, 3], quat=_quaternion(mujoco, body.pose))
    made.add_freejoint(name=name)
    for k, points in enumerate(body.pieces):
        if id(points) not in names:
            names[id(points)] = f"{name}piece{k}"
            spec.add_mesh(name=names[id(points)], uservert=points.astype(np.float32).ravel(), maxhullvert=-1)
        geom = made.add_geom(name=f"{name}geom{k}", type=mujoco.mjtGeom.mjGEOM_MESH, meshname=names[id(points)])
        geom.density = 7800.0
        _surface(geom)


def _surface(geom: Any) -> None:
    geom.friction = FRICTION
    geom.condim = 4
    geom.solref = [CONTACT_S, 1.0]
    geom.solimp = [0.95, 0.99, 0.0005, 0.5, 2.0]


def _quaternion(mujoco: Any, pose: Floats) -> Floats:
    result = np.zeros(4)
    mujoco.mju_mat2Quat(result, np.ascontiguousarray(pose[:3, :3]).ravel())
    return result


def _poses(state: Floats) -> Floats:
    """(n, 4, 4) matrices from (n, 7) positions and unit quaternions w, x, y, z."""
    from scipy.spatial.transform import Rotation

    poses = np.tile(np.eye(4), (len(state), 1, 1))
    poses[:, :3, :3] = Rotation.from_quat(state[:, [4, 5, 6, 3]]).as_matrix()
    poses[:, :3, 3] = state[:, :3]
    return poses
