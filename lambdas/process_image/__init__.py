"""The function `process_image`: turns an upload into derivatives, and announces the outcome."""
