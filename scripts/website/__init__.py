"""The website of all documents: Sphinx's settings, navigation and pages of source files."""
