"""Checks: is every activation what it says, and would a broken one be noticed?"""
