"""The diagram of the architecture: read from a plan, checked against rules, drawn with Mermaid."""
