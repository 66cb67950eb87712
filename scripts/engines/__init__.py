"""The engines that emulate AWS on this machine: MiniStack and LocalStack."""
