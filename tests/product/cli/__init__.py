"""Tests of the operator's command, in an AWS account that moto emulates."""
