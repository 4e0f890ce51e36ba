"""Checks that an unlearner keeps what it claims."""
