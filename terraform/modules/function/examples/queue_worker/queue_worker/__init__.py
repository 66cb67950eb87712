"""The function of this example; queue_worker.zip contains it."""
