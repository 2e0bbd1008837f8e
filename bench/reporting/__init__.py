"""Reporting: how people see what was found."""
