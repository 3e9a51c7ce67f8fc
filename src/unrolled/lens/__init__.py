"""Trace a model into plain records, and draw the records: a page, or a picture.

records    what a report holds: plain dataclasses, no model code
trace      reads a text with a character model and records every step
page       one self-contained HTML page
picture    PNG or SVG files (matplotlib, extra `lens`)
"""
