"""The demo: deploy to an emulator, process pictures, write the report."""
