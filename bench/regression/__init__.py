"""Regression: did it change?"""
