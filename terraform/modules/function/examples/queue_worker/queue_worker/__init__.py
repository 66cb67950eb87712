"""The function of this example, in queue_worker.zip as it stands here."""
