"""Every HTTP request that leaves the bridge."""
