"""How fast, small and faithful Darkroom is, measured beside its peers: `make benchmark`."""
