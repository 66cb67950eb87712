"""The functions' zips: what goes into them, how they are built and described."""
