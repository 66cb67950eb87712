"""How the process of a tool starts and ends, and which environment it and its children get."""
