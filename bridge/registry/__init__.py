"""From YAML files to a Registry that can be served."""
