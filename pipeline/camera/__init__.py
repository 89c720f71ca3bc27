"""Camera: a light bundle becomes photos. `develop.develop_photos` is the way in."""
