from __future__ import annotations

from drivers.duct.scene import Material, Obstacle, Shape, other_way, random_scene


def test_the_same_seed_gives_the_same_scene() -> None:
    assert random_scene(11) == random_scene(11)
    assert random_scene(11) != random_scene(12)


def test_many_seeds_show_every_kind_of_duct() -> None:
    scenes = [random_scene(seed) for seed in range(60)]

    assert {s.material for s in scenes} == set(Material)
    assert {s.shape for s in scenes} == set(Shape)
    assert {s.obstacle for s in scenes} == set(Obstacle)


def test_the_camera_is_always_inside_the_duct() -> None:
    for scene in map(random_scene, range(200)):
        if scene.shape is Shape.ROUND:
            assert scene.camera.x_m**2 + scene.camera.y_m**2 < (0.8 * scene.half_width_m) ** 2
        assert abs(scene.camera.x_m) < 0.8 * scene.half_width_m
        assert abs(scene.camera.y_m) < 0.8 * scene.half_height_m


def test_the_other_camera_of_a_pair_looks_along_the_same_kind_of_duct() -> None:
    one = random_scene(11)
    other = other_way(one, 12)

    assert (other.shape, other.material, other.half_width_m) == (one.shape, one.material, one.half_width_m)
    assert (other.seed, other.soiling) == (12, one.soiling)
