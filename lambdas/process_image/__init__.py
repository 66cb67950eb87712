"""The function `process_image`: from an upload's event to its derivatives and the event that announces them."""
