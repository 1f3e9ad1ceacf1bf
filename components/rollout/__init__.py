"""Checks and waits that order an update, so that no request is lost while objects change."""
