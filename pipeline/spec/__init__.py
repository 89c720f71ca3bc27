"""Dataset specs: a TOML file becomes one frozen SceneSpec per scene."""
