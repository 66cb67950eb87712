"""Rules that more than one function relies on, each written once. No AWS client, no environment, no function."""
