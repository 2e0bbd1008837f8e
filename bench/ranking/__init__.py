"""Ranking: which activation is better, and how sure is that?"""
