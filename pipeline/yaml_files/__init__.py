"""YAML files that people write: read with the line of every value, checked against a model, mistakes explained."""
