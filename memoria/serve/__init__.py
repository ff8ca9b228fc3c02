"""Memoria's faces.

What enters: what a person types. What leaves: what they read. `cli` is the command line, `view` draws for a terminal,
`demo` is the year of Ana.
"""
