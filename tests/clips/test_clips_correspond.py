"""Finding surface points again in another frame, against geometry in closed form."""

from dataclasses import replace

import numpy as np
from support.analytic_clips import HEIGHT_M, camera_at, geometry_of, ground_points
from support.synthetic_bundle import moved

from pipeline.clips.correspond import FrameGeometry, match


def every_pixel(geometry):
    height, width = geometry.depth.shape
    rows, columns = np.divmod(np.arange(height * width), width)
    return rows, columns


def test_a_plane_under_a_moving_camera_is_found_where_geometry_says() -> None:
    """A camera that moves by 3.2 pixels' worth of ground sees every point 3.2 pixels to the left."""
    first, second = geometry_of(camera_at(0.0)), geometry_of(camera_at(3.2 / 80.0 * HEIGHT_M))
    rows, columns = every_pixel(first)
    found = match(first, second, rows, columns)
    wanted = np.floor(columns + 0.5 - 3.2)
    inside = wanted >= 0
    assert np.array_equal(found.seen, inside)
    assert np.array_equal(found.columns[inside], wanted[inside])
    assert np.array_equal(found.rows[inside], rows[inside])


def test_the_ground_points_of_matched_pixels_agree() -> None:
    first, second = geometry_of(camera_at(0.0)), geometry_of(camera_at(0.013, -0.021))
    rows, columns = every_pixel(first)
    found = match(first, second, rows, columns)
    here = ground_points(first.camera)[rows, columns][found.seen]
    there = ground_points(second.camera)[found.rows, found.columns][found.seen]
    pixel_m = HEIGHT_M / 80.0
    assert found.seen.mean() > 0.7
    assert np.abs(here - there).max() <= 0.5001 * pixel_m


def test_tilted_camera_agrees_with_projecting_the_point_directly() -> None:
    """From a tilted camera above the plane: rays, plane and projection are computed here by themselves."""
    from support.render_scenes import look_at

    poses = [look_at((0.1, -0.3, 0.4), (0.0, 0.0, 0.0)), look_at((-0.05, -0.35, 0.35), (0.0, 0.02, 0.0))]
    geometries, points = [], []
    for pose in poses:
        camera = replace(camera_at(0.0), cam_from_world=tuple(float(v) for v in pose.ravel()))
        x, y = np.meshgrid(np.arange(64) + 0.5, np.arange(48) + 0.5)
        rays = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones_like(x)], axis=-1)
        world, eye = rays @ pose[:3, :3], -pose[:3, :3].T @ pose[:3, 3]
        depth = -eye[2] / world[..., 2]  # the plane is z = 0
        points.append(eye + world * depth[..., None])
        geometries.append(FrameGeometry(camera, depth.astype(np.float32), np.full(depth.shape, 5, np.uint16)))
    rows, columns = every_pixel(geometries[0])
    found = match(*geometries, rows, columns)
    local = points[0].reshape(-1, 3) @ poses[1][:3, :3].T + poses[1][:3, 3]
    wanted = np.floor(local[:, :2] / local[:, 2:] * 80.0 + [32.0, 24.0])
    inside = ((wanted >= 0) & (wanted < [64, 48])).all(axis=1)
    assert inside.mean() > 0.6
    agree = found.seen == inside
    assert (~agree).sum() <= 2  # a depth in half as many digits may carry a point over a pixel's border
    both = agree & inside
    off = np.abs(np.stack([found.columns, found.rows], axis=-1)[both] - wanted[both])
    assert off.max() <= 1
    assert (off > 0).mean() < 0.01


def test_hidden_and_foreign_points_are_not_seen() -> None:
    first, second = geometry_of(camera_at(0.0)), geometry_of(camera_at(0.0))
    second.depth[:, :20] = 0.8 * HEIGHT_M  # something stands before the plane
    second.objects[:, 40:] = 7  # or something else lies at the same depth
    rows, columns = every_pixel(first)
    seen = match(first, second, rows, columns).seen.reshape(48, 64)
    assert not seen[:, :19].any()
    assert seen[:, 20:40].all()
    assert not seen[:, 40:].any()


def test_what_rides_the_belt_is_found_where_it_has_gone() -> None:
    """A still camera: points of the riding object move by 4 pixels, all others stay."""
    shift = (4.0 / 80.0 * HEIGHT_M, 0.0, 0.0)
    first = replace(geometry_of(camera_at(0.0)), riding=frozenset({9}))
    second = replace(geometry_of(camera_at(0.0)), riding=frozenset({9}), belt_shift_m=shift)
    first.objects[:, 10:20] = 9
    second.objects[:, 14:24] = 9
    rows, columns = every_pixel(first)
    found = match(first, second, rows, columns)
    on_it = (columns >= 10) & (columns < 20)
    assert found.seen[on_it].all()
    assert np.array_equal(found.columns[on_it], columns[on_it] + 4)
    covered = (columns >= 20) & (columns < 24)  # the plane there is under the part now
    assert not found.seen[covered].any()
    assert found.seen[(columns < 10) | (columns >= 24)].all()


def test_the_far_background_depends_on_direction_only() -> None:
    far = FrameGeometry(camera_at(0.0), np.zeros((48, 64), np.float32), np.zeros((48, 64), np.uint16))
    elsewhere = replace(far, camera=camera_at(5.0, 2.0))
    turned = replace(far, camera=replace(far.camera, cam_from_world=moved(0, 0, 0, np.diag([-1.0, -1.0, 1.0]))))
    rows, columns = every_pixel(far)
    found = match(far, elsewhere, rows, columns)
    assert found.seen.all()
    assert np.array_equal(found.columns, columns)
    assert not match(far, turned, rows, columns).seen.any()  # it looks up now


class Barrel:
    """A lens that shrinks the picture about its middle by 1 - 3e-5 r^2, and its inverse by iteration."""

    def photo_points(self, points):
        away = points - [32.0, 24.0]
        return [32.0, 24.0] + away * (1 - 3e-5 * (away**2).sum(axis=-1, keepdims=True))

    def view_points(self, points):
        found = points.copy()
        for _ in range(60):
            found += points - self.photo_points(found)
        return found


def test_lenses_that_distort_are_taken_into_account() -> None:
    """The ground point of a photo's pixel, by undoing the lens here, is shown by the pixel of the straight picture."""
    straight = [geometry_of(camera_at(x)) for x in (0.0, 0.02)]
    rows, columns = every_pixel(straight[0])
    pixels = np.stack([columns + 0.5, rows + 0.5], axis=-1)
    bent = replace(straight[0], lens=Barrel())
    for first, second, undo in ((bent, straight[1], (True, False)), (straight[1], bent, (False, True))):
        found = match(first, second, rows, columns)
        there = np.stack([found.columns + 0.5, found.rows + 0.5], axis=-1)
        ground = []
        for geometry, at, lens in ((first, pixels, undo[0]), (second, there, undo[1])):
            x = 0.02 if geometry is straight[1] else 0.0
            offset = (Barrel().view_points(at) if lens else at) - [32.0, 24.0]
            ground.append([x, 0.0] + offset / 80.0 * HEIGHT_M * [1.0, -1.0])
        apart = np.abs(ground[0] - ground[1])[found.seen] / (HEIGHT_M / 80.0)
        assert found.seen.mean() > 0.7
        assert apart.max() < 0.6  # half a pixel, which the lens makes larger towards the corners
        plain = match(replace(first, lens=None), replace(second, lens=None), rows, columns)
        assert (plain.columns != found.columns)[plain.seen & found.seen].mean() > 0.1
