"""The example registries; a wheel carries them as `bridge.examples`, where `toolbridge demo` finds them."""
