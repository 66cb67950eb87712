"""Start and end of a tool's process, and the environment of the tool and its children."""
